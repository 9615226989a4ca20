"""Work done one item ahead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterable[Item]) -> Iterator[Item]:
    """Yield ``items`` in order, while another thread is already making the next one."""
    stream = iter(items)
    pool = ThreadPoolExecutor(1, thread_name_prefix="ahead")
    end = object()
    try:
        coming = pool.submit(next, stream, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, stream, end)
            yield item  # type: ignore[misc]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
