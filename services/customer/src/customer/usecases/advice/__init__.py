"""What a view advises: `rules` find it in what is `seen`, `giving` adds it, `answering` takes it away."""
