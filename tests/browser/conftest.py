"""Debian's Chromium, driven by Playwright: a real part. Where it is absent these tests fail; .ci/run installs it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.sites import Site, build
from tests.browser.watch import Allowed, Outside, Watch, nobody_outside
from tests.end_to_end.conftest import Home

# A machine that is busy with other tests draws a page of MLflow's late; nothing waits this long where all is well.
PATIENCE_MS = 20_000


@dataclass(frozen=True)
class Chromium:
    """The browser, and everything that it asked of the world outside this host."""

    browser: Browser
    outside: Outside

    @contextmanager
    def page(self, *, allowed: Sequence[Allowed] = (), **context: Any) -> Iterator[Page]:
        """A watched page of a fresh profile; at its end nothing has gone wrong in it."""
        watch = Watch(allowed)
        with self.browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}) as made:
            made.set_default_timeout(PATIENCE_MS)
            page = made.new_page()
            watch.attach(page)
            yield page
        watch.assert_clean()
        assert self.outside.asked == []


# For a module and not for the session: while Playwright's synchronous driver is up, its event loop counts as running in
# this thread, and no other test of the same process could start one of its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    executable = shutil.which("chromium")
    assert executable, "no `chromium` on PATH; on Debian: apt-get install chromium"
    expect.set_options(timeout=PATIENCE_MS)
    with nobody_outside() as outside, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=["--no-sandbox", f"--proxy-server=http://127.0.0.1:{outside.port}"],
        )
        yield Chromium(browser, outside)
        browser.close()


@pytest.fixture
def page(chromium: Chromium) -> Iterator[Page]:
    """A watched page of a desktop's size."""
    with chromium.page() as made:
        yield made


@pytest.fixture
def open_page(chromium: Chromium) -> Iterator[Callable[..., Page]]:
    """Makes watched pages, each with a context of its own, such as `color_scheme="dark"`."""
    with ExitStack() as stack:
        yield lambda **context: stack.enter_context(chromium.page(**context))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A small site of everything."""
    return build(Home(tmp_path_factory.mktemp("registry")))
