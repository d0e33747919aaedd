"""Where results lie: a key leads back to its lease, or to none."""

from __future__ import annotations

import pytest

from adapters.store_keys import RESULTS, attempt_of, result_prefix, results_of


def test_the_key_of_a_result_leads_back_to_its_lease() -> None:
    key = f"{result_prefix('job', 7)}transcript.json"

    assert key == "results/job/7/transcript.json"
    assert attempt_of(key) == ("job", 7)
    assert key.startswith(results_of("job"))
    assert results_of("job").startswith(RESULTS)


@pytest.mark.parametrize("key", ["results/job", "results/job/7", "results/job/x/a.json", "results/job/²/a.json"])
def test_what_is_no_result_of_a_lease_is_nobodys(key: str) -> None:
    assert attempt_of(key) is None
