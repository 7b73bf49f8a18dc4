"""A real project's suite, run at two versions through three reporters: is it one history, and the right one?

`python -m benchmarks.real_suite [FOLDER]` runs the suite of `click` six times and says what must agree.
FOLDER keeps the two source archives; what is missing there is fetched by pip.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NAME, VERSIONS = "click", ("8.1.3", "8.1.8")
REPORTERS = {
    "plugin": ("-p", "runtrail.plugin", "--runtrail-report={file}"),
    "junit": ("--junitxml={file}",),
    "json": ("-p", "pytest_jsonreport.plugin", "--json-report", "--json-report-file={file}"),
}
KINDS = ("newly_failing", "fixed", "added", "removed")


def run() -> int:
    """Return 0 if all that must agree does."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="runtrail-real-")).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    reports = {}
    for version in VERSIONS:
        place = unpacked(folder, version)
        for reporter in REPORTERS:
            reports[version, reporter] = report_of(place, folder / f"{version}-{reporter}", reporter)
            print(f"{NAME} {version} through {reporter}: {reports[version, reporter].stat().st_size:,} bytes")
    os.environ |= {"RUNTRAIL_DATA": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "config.settings"}
    os.environ.pop("DATABASE_URL", None)
    return compare(reports)


def unpacked(folder: Path, version: str) -> Path:
    """Return the source of a version; only its own folder's names are taken out of the archive."""
    place = folder / f"{NAME}-{version}"
    archive = folder / f"{NAME}-{version}.tar.gz"
    if not archive.exists():
        fetch(folder, version)
    if not place.exists():
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    return place


def fetch(folder: Path, version: str) -> None:
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", NAME]
    subprocess.run([*pip, "-d", str(folder), f"{NAME}=={version}"], check=True)


def report_of(place: Path, file: Path, reporter: str) -> Path:
    """Run the suite once and return its report."""
    paths = [str(place / "src"), str(ROOT / "client" / "src")]
    words = [word.format(file=file) for word in REPORTERS[reporter]]
    kept = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", *words]
    done = subprocess.run(
        [*command, "tests"],
        cwd=place,
        env={**kept, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )
    print((done.stdout.strip().splitlines() or [done.stderr[-300:]])[-1])
    return file


def compare(reports: dict[tuple[str, str], Path]) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    from access.models import Project
    from executions.comparison import compare_results
    from executions.models import CaseStatistics, TestCase
    from executions.recount import recount

    call_command("migrate", verbosity=0)
    project, _ = Project.objects.get_or_create(slug=NAME, defaults={"name": NAME})
    runs = ingested(project, reports)
    old, new = (wanted(reports[version, "json"]) for version in VERSIONS)
    names = set(TestCase.objects.filter(project=project).values_list("nodeid", flat=True))
    counts = set(
        CaseStatistics.objects.filter(case__project=project).values_list("passed", "failed", "skipped")
    )
    faults = []
    print(
        f"{len(old):,} and {len(new):,} tests; {len(names):,} in the history; {len(counts)} kinds of counts"
    )
    if names != old.keys() | new.keys():
        faults.append(f"{len(names ^ (old.keys() | new.keys()))} tests have another name in the history")
    truth = difference(old, new)
    for first, second in itertools.product(REPORTERS, repeat=2):
        found = compare_results(runs[VERSIONS[0], first], runs[VERSIONS[1], second])
        told_sets = {kind: {change.nodeid for change in getattr(found, kind)} for kind in KINDS}
        if told_sets != truth:
            faults.append(f"{first} against {second}: another difference")
    print("difference of the versions:", {kind: len(truth[kind]) for kind in KINDS}, "in all 9 pairs alike")
    if differences := list(recount(project, repair=False)):
        faults.append(f"{len(differences)} statistics differ from a recount")
    print(*(f"WRONG: {fault}" for fault in faults), sep="\n")
    return bool(faults)


def ingested(project, reports: dict[tuple[str, str], Path]) -> dict:
    """The run of each report, a minute apart; each version is a commit."""
    from executions.ingest import ingest_report

    begun, runs = datetime.now(UTC) - timedelta(hours=1), {}
    for number, (key, path) in enumerate(reports.items()):
        told = {"space": "ci", "commit": f"{VERSIONS.index(key[0]) + 1:040}"}
        with path.open("rb") as file:
            now = begun + timedelta(minutes=number)
            runs[key] = ingest_report(file, project=project, name=path.name, now=now, **told).run
    return runs


def wanted(path: Path) -> dict[str, str]:
    """Each test's outcome, counted without Runtrail."""
    content = json.loads(path.read_text())
    return {test["nodeid"]: test["outcome"] for test in content["tests"]}


def difference(old: dict[str, str], new: dict[str, str]) -> dict[str, set[str]]:
    bad, both = {"failed", "error"}, old.keys() & new.keys()
    return {
        "newly_failing": {name for name in both if new[name] in bad and old[name] not in bad},
        "fixed": {name for name in both if old[name] in bad and new[name] == "passed"},
        "added": new.keys() - old.keys(),
        "removed": old.keys() - new.keys(),
    }


if __name__ == "__main__":
    sys.exit(run())
