"""The summary behind the comparisons: which ops of PyTorch's database were covered."""


def pytest_terminal_summary(terminalreporter):
    covered, failed = set(), set()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            if "test_op_db.py::" in report.nodeid and "[" in report.nodeid:
                name = report.nodeid.split("[", 1)[1][:-1]
                (covered if outcome == "passed" else failed).add(name)
    if covered or failed:
        terminalreporter.write_line(
            f"ops of PyTorch's database covered ({len(covered | failed)}): {' '.join(sorted(covered | failed))}"
        )
        terminalreporter.write_line(f"{len(covered - failed)} passed, {len(failed)} failed")
