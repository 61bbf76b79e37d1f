"""The browser that the tests of the page share."""

from page_driver import browser, opened

__all__ = ["browser", "opened"]
