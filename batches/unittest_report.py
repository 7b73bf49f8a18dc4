"""Runs unittest in the user's interpreter and writes JUnit XML; needs the standard library only.

python unittest_report.py REPORT MODULE=FILE …
"""

# mypy: ignore-errors
import importlib.util
import sys
import time
import unittest
from pathlib import Path
from xml.etree import ElementTree


class Recording(unittest.TextTestResult):
    """Keeps how each test went; sub-tests count as their test."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.cases = {}
        self.begun = {}

    def startTest(self, test):
        self.begun[test.id()] = time.perf_counter()
        self.cases[test.id()] = ["passed", ""]
        super().startTest(test)

    def stopTest(self, test):
        self.begun[test.id()] = time.perf_counter() - self.begun[test.id()]
        super().stopTest(test)

    def keep(self, test, outcome, text):
        self.cases[test.id()] = [outcome, text]

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.keep(test, "failure", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.keep(test, "error", self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            kept = self.failures if issubclass(err[0], test.failureException) else self.errors
            self.keep(test, "failure" if kept is self.failures else "error", kept[-1][1])

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.keep(test, "skipped", reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.keep(test, "failure", "passed, and was expected to fail")


class NotImported(unittest.TestCase):
    """Stands for the tests of a module that could not be imported."""

    def __init__(self, module, problem):
        super().__init__("runTest")
        self.module, self.problem = module, problem

    def id(self):
        return f"{self.module}.(collection)"

    def runTest(self):
        raise self.problem


def load(name, path):
    """Return the tests of a file under its module's name; what can't be imported is a test that errs."""
    sys.path.insert(0, str(Path(path).resolve().parent))
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except Exception as problem:
        return unittest.TestSuite([NotImported(name, problem)])
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def named(test_id):
    """Return class and name; what is wrong with a whole class has the id `setUpClass (module.Class)`."""
    words, bracket, rest = test_id.partition(" (")
    if bracket and "." not in words:
        return rest.rstrip(")"), f"({words})"
    class_name, _, method = test_id.rpartition(".")
    return class_name, method


def main(report, modules):
    sys.path[:0] = [str(Path.cwd()), *([str(Path("src").resolve())] if Path("src").is_dir() else [])]
    files = dict(word.split("=", 1) for word in modules)
    suite = unittest.TestSuite([load(name, path) for name, path in files.items()])
    result = unittest.TextTestRunner(resultclass=Recording, verbosity=2).run(suite)
    root = ElementTree.Element("testsuite", name="unittest", tests=str(len(result.cases)))
    for name, (outcome, text) in result.cases.items():
        class_name, method = named(name)
        file = next((path for module, path in files.items() if f"{class_name}.".startswith(f"{module}.")), "")
        seconds = f"{result.begun.get(name, 0):.6f}"
        told = {"classname": class_name, "name": method, "time": seconds, "file": file}
        case = ElementTree.SubElement(root, "testcase", {key: value for key, value in told.items() if value})
        if outcome != "passed":
            child = ElementTree.SubElement(
                case, outcome, message=text.strip().splitlines()[-1] if text else ""
            )
            child.text = text
    ElementTree.ElementTree(root).write(report, encoding="utf-8", xml_declaration=True)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
