"""The summary behind the comparisons: which ops of PyTorch's database were covered."""


def pytest_terminal_summary(terminalreporter):
    names = {"passed": set(), "failed": set(), "xfailed": set()}
    for outcome, found in names.items():
        for report in terminalreporter.stats.get(outcome, []):
            if "test_op_db.py::" in report.nodeid and "[" in report.nodeid:
                found.add(report.nodeid.split("[", 1)[1][:-1])
    covered = set().union(*names.values())
    differ = names["failed"] | names["xfailed"]
    if covered:
        known = len(differ - names["failed"])
        terminalreporter.write_line(f"ops of PyTorch's database covered ({len(covered)}): {' '.join(sorted(covered))}")
        terminalreporter.write_line(f"differing somewhere: {' '.join(sorted(differ))}")
        terminalreporter.write_line(
            f"{len(covered - differ)} passed, {len(differ)} failed ({known} of them known: known_differences.py)"
        )
