"""What the past of a workspace says about its batch size."""

from __future__ import annotations

from statistics import median

from batches.models import BatchRun, Workspace

ENOUGH = 5
LARGEST = 20


def suggestion(workspace: Workspace) -> str:
    """Suggest a batch size from the share of red batches and the time of the suite."""
    rows = BatchRun.objects.filter(workspace=workspace).exclude(batch=None)
    runs = list(rows.values_list("success", "duration")[:50])
    if len(runs) < ENOUGH:
        return f"Suggested batch size: after {ENOUGH} tested batches ({len(runs)} so far)."
    share = sum(not success for success, _ in runs) / len(runs)
    seconds = median(duration for _, duration in runs)
    size = best_size(share, seconds, workspace.batch_size)
    return f"Suggested batch size: {size} ({share:.0%} of batches red, the suite takes {seconds:.0f} s)."


def best_size(share: float, seconds: float, size: int, *, waiting: float = 30.0) -> int:
    """Return the size that costs least per edit.

    An edit costs its share of a suite, and, where a batch is red, a search of about log2(size) + 3 reruns
    and the time until somebody looks (`waiting` seconds for every edit made on top of the broken one).
    """
    per_edit = 1 - (1 - min(share, 0.99)) ** (1 / size)

    def cost(number: int) -> float:
        red = 1 - (1 - per_edit) ** number
        search = (number.bit_length() + 3) * seconds * 0.2
        return (seconds + red * (search + waiting * number)) / number

    return min(range(1, LARGEST + 1), key=cost)
