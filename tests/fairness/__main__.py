"""Draw what becomes late, by how much work comes and by the order in which it is given out."""

from pathlib import Path

from tests.fairness.simulation import LOADS, ORDERS, late

PICTURE = Path(__file__).parents[2] / "docs" / "queue" / "fairness.svg"
_STYLE = """
  text { font: 14px system-ui, sans-serif; fill: #1f2328 } .axis { stroke: #59636e }
  .bar0 { fill: #8c959f } .bar1 { fill: #0969da } .bar2 { fill: #bc4c00 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .axis { stroke: #9198a1 }
    .bar0 { fill: #818b98 } .bar1 { fill: #4493f8 } .bar2 { fill: #db6d28 }
  }
"""
_BAR, _HIGH, _TOP, _LEFT = 50, 240, 70, 20


def drawn() -> str:
    """The picture, SVG."""
    width, bottom = _LEFT * 2 + len(LOADS) * 210, _TOP + _HIGH
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 34}" role="img">',
        "<title>Work of the customers who are worth least that is late, by load</title>",
        f"<style>{_STYLE}</style>",
        f'<text x="{_LEFT}" y="20">Late work of the customers who are worth least</text>',
    ]
    for n, order in enumerate(ORDERS):
        x = _LEFT + n * 190
        parts.append(f'<rect class="bar{n}" x="{x}" y="34" width="12" height="12"/>')
        parts.append(f'<text x="{x + 18}" y="45">{order}</text>')
    for group, load in enumerate(LOADS):
        left = _LEFT + group * 210
        for n, order in enumerate(ORDERS):
            share, x = late(load, order), left + n * (_BAR + 4)
            high = round(share * (_HIGH - 20))
            parts.append(f'<rect class="bar{n}" x="{x}" y="{bottom - high}" width="{_BAR}" height="{high}"/>')
            parts.append(
                f'<text x="{x + _BAR // 2}" y="{bottom - high - 5}" text-anchor="middle">{share:.1%}</text>'
            )
        parts.append(f'<text x="{left}" y="{bottom + 22}">{load:.0%} of what agents can do</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {bottom}H{width - _LEFT}"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn())
