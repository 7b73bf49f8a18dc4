"""A batch from a desk to the page: recorded in a shell, tested and taken back by the server's own worker."""

import re
import subprocess
import sys
import time

import pytest

from tests.command_line import have_database
from tests.journeys.product import ROOT, Product

pytestmark = [pytest.mark.journey, pytest.mark.embedded, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    product = Product(tmp_path_factory.mktemp("installation") / "data")
    have_database(product.data)
    yield product
    product.stop()


def batch(product, folder, *words, code=0):
    return run(product, folder, "batch", *words, code=code)


def run(product, folder, *words, code=0):
    done = subprocess.run(
        [ROOT / "bin/runtrail", *words],
        env={**product.environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_the_worker_of_the_host_tests_and_goes_back(product, tmp_path):
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "a.py").write_text("ONE = 1\n")
    (tmp_path / "test_a.py").write_text("import a\ndef test_one(): assert a.ONE == 1\n")
    batch(product, tmp_path, "test", "--python", sys.executable)  # from now on its Python is known
    refused = batch(product, tmp_path, "test", "--background", code=3)
    assert "No worker serves" in refused.stderr
    (tmp_path / "a.py").write_text("ONE = 2\n")
    batch(product, tmp_path, "record", "a.py", "--batch-size", "9")
    product.start("--no-demo")
    session = product.browser_session()

    def page_says(words, within=120):
        end = time.monotonic() + within
        while words not in (text := session.get(f"{product.url}/batches/1/", timeout=20).text):
            assert time.monotonic() < end, text
            time.sleep(0.3)
        return text

    run(product, tmp_path, "ci_batch_tests", "--background", "--set-baseline")
    end = time.monotonic() + 60
    while "the baseline now" not in (said := batch(product, tmp_path, "status").stdout):
        assert time.monotonic() < end, said
    assert "failed. 1 test, 1 failed. They are the baseline now." in said

    told = batch(product, tmp_path, "test", "--background").stdout
    assert "follow it at /batches/1/" in told
    text = page_says("1 test, 1 failed.")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', text)[1]

    where = f"{product.url}/batches/1/rollback/"
    session.post(where, data={"csrfmiddlewaretoken": token}, headers={"Referer": where}, timeout=20)

    page_says("Rolled back batch 1: 1 file. 1 test, 0 failed.")
    assert (tmp_path / "a.py").read_text() == "ONE = 1\n"
