"""The pages as people have them: in a real browser, live, by keyboard, narrow, dark, from one host."""

import json
import os
import re
import shutil

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.command_line import have_database
from tests.journeys.product import PASSWORD, Product

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.embedded,  # what a page does in a browser depends on no database
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.timeout(600),
    # CI installs a browser and fails without one (script/test); a desk without one runs the rest.
    pytest.mark.skipif(not CHROMIUM and os.environ.get("CI") != "true", reason="no Chromium is installed"),
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    product = Product(tmp_path_factory.mktemp("installation") / "data")
    have_database(product.data)
    product.start()
    yield product
    product.stop()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def open_page(product, browser):
    """Log in and return a page; at the end there was no error and no other host."""
    problems, contexts = [], []

    def is_ours(url):
        return url.startswith((product.url, "data:", f"blob:{product.url}"))

    def make(width=1280, **options):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda asked: is_ours(asked.url) or problems.append(asked.url))
        page.goto(f"{product.url}/runs/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(f"{product.url}/runs/")
        return page

    yield make
    for context in contexts:
        context.close()
    assert problems == []


def test_a_run_is_followed_live_without_touching_the_page(product, open_page):
    product.run("cancel_run", product.analysis()["test_run_id"])
    product.take_few_jobs()
    product.run("run_tests", "-p", "demo", "-e", "local", "-t", "few", "--no-wait")
    page = open_page()
    page.click("tbody a >> nth=0")
    expect(page.get_by_text(re.compile(r"\d+ of 8 done"))).to_be_visible()
    page.evaluate("() => { window.untouched = true; }")

    expect(page.get_by_text("8 of 8 done").first).to_be_visible(timeout=150_000)

    expect(page.get_by_text("✓ passed").first).to_be_visible()
    assert page.evaluate("() => window.untouched"), "it was patched in place, not loaded again"


def test_a_table_is_saved_as_it_is_shown(product, open_page):
    page = open_page()
    page.goto(f"{product.url}/runs/{product.analysis()['test_run_id']}/")
    below = page.locator("table", has=page.get_by_role("columnheader", name="p99")).locator(
        "xpath=../following-sibling::*[1]"
    )
    saved = {}
    for kind in ("CSV", "JSON"):
        with page.expect_download() as download:
            below.get_by_role("button", name=kind).click()
        saved[kind] = download.value

    assert saved["CSV"].suggested_filename.endswith("-times.csv")
    header, *lines = saved["CSV"].path().read_text().splitlines()
    assert header == "part,mean,p50,p95,p99,n"
    rows = json.loads(saved["JSON"].path().read_text())
    assert [row["part"] for row in rows][:3] == ["queue", "execution", "total"]
    assert [line.split(",")[0] for line in lines] == [row["part"] for row in rows]


@pytest.mark.parametrize("path", ["/", "/runs/", "/definitions/", "/definitions/performance/", "/settings/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(product, open_page, path, scheme):
    page = open_page(width=390, color_scheme=scheme)

    page.goto(product.url + path)

    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 22, 28)"}[scheme]


def test_a_run_is_started_and_cancelled_by_hand(product, open_page):
    page = open_page()
    page.goto(f"{product.url}/definitions/performance/")

    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/runs/performance_"))
    expect(page.get_by_text("running").first).to_be_visible()
    page.get_by_text("Cancel", exact=True).first.click()
    page.get_by_role("button", name="End the run").click()

    expect(page.get_by_text("cancelled").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Run again").first).to_be_visible()


def test_the_keyboard_reaches_search_list_and_help(product, open_page):
    page = open_page()

    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.type") == "search"
    page.keyboard.press("Escape")
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("j")
    assert page.evaluate("() => !!document.activeElement.closest('tbody')")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
