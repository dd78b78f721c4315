"""What every gRPC API of Rapport does the same way: names, masks, pages, filters, etags, conversions."""
