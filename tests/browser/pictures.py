"""Pictures of pages, small enough for a repository."""

import base64

from playwright.async_api import Page

BYTES_MAX = 60_000
HEIGHT_MAX = {1280: 800, 390: 1600}  # what one sees without scrolling, and of a phone more
QUALITIES = (80, 60, 40, 25, 20)  # the best that is small enough


async def small(page: Page) -> bytes:
    """The page as a picture, as good as it may be."""
    session = await page.context.new_cdp_session(page)
    height, width = await page.evaluate("() => [document.documentElement.scrollHeight, innerWidth]")
    height = max(height, 800)
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, HEIGHT_MAX[width]), "scale": 1}
    for quality in QUALITIES:
        shown = await session.send(
            "Page.captureScreenshot",
            {"format": "webp", "quality": quality, "clip": clip, "captureBeyondViewport": True},
        )
        picture = base64.b64decode(shown["data"])
        if len(picture) <= BYTES_MAX:
            return picture
    raise AssertionError(f"{len(picture)} bytes are too many, at the least quality")
