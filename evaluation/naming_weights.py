"""The weights by which voices are named by all that a long talk says, fitted on published talk.

    python -m evaluation.naming_weights FOLDER... [--draw 300] [--jobs 2]

Takes the half `seen` of every house (`evaluation.published`), and prints the weights that make the true way to give
the list out likeliest, for the table in `transcription/naming/features.py`. First on the pages on which the list is
as long as there are voices; to learn how sure it may be that everybody is there, each is shown once more with a name
exchanged for that of somebody from another page of the house, for whom no voice is right. Then, with those weights
held, the weights of lists of another length (`OF_OTHER_LISTS`), on each page with a name taken off the list and with
one added. Last, the weights of people whom no list gives, on each page without a list, for the voices that the rules
leave without a name.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from evaluation.naming import is_right
from evaluation.naming_cases import NamingCase
from evaluation.published import Half, pages_of, published_case
from schemas.episode import Participant
from schemas.transcript import Speaker
from transcription.naming import found_by_evidence, found_by_rules
from transcription.naming.features import UNLISTED_WEIGHTS, WEIGHTS, Feature, features_of
from transcription.naming.likelihoods import said_of
from transcription.naming.matchings import chances_of_pairs, worth_of_all
from transcription.naming.mentions import Manner
from transcription.naming.unlisted import candidates
from transcription.naming.weighed_lists import is_weighed
from transcription.participants import parse_participant

EXCHANGED = 0.005  #: of the lists have a name of somebody who is not there; assumed
CHANGED = 0.5  #: how much a page counts whose list was made shorter or longer, to one that has such a list
OF_OTHER_LISTS = (Feature.PERHAPS_LISTED, Feature.TALKS_MUCH, Feature.NOBODY_SAYS_IT, Feature.LIST_IS_LONG)
SHRINKAGE = 0.5  #: how much large weights cost: half of it times their squares; 0.5 and 1 do as well
MOST_PEOPLE = 8  #: a page with more is left out, for time; few have
CERTAIN = 50.0  #: added to the log odds of a pair that has to be given out
FEATURES = tuple(WEIGHTS)
UNLISTED_FEATURES = tuple(UNLISTED_WEIGHTS)

Matrix = NDArray[np.float64]


class Given(StrEnum):
    """What list an example has."""

    WHOLE = "whole"  #: as long as there are voices
    OTHER = "other"  #: shorter or longer
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Example:
    """A talk and the people whom its voices may be: the features of every pair, and which pairs are right.

    The features are `FEATURES`, or `UNLISTED_FEATURES` where no list is given.
    """

    features: Matrix  #: voices by people by features
    right: NDArray[np.bool_]  #: voices by people
    share: float  #: how much the example counts
    given: Given = Given.WHOLE


def example_of(case: NamingCase, share: float) -> Example | None:
    """The features that naming would weigh; None where it would not weigh the list."""
    found = found_by_evidence(case.with_participants())
    talk = found.talk
    if not is_weighed(talk) or not 2 <= len(talk.talkers) <= MOST_PEOPLE:
        return None
    mentions = [each for each in found.mentions_of_listed() if each.manner is not Manner.AWAY]
    listed = [i for i, person in enumerate(found.people) if person.participant is not None]
    believed = {voice: each.person for voice, each in found.named.items() if each.person in listed}
    numbers = features_of(talk, found.pieces, believed, said_of(talk, mentions), listed)
    features = [
        [[numbers[voice, person].get(each, 0.0) for each in FEATURES] for person in listed] for voice in talk.talkers
    ]
    right = [
        [is_right(case, Speaker(voice, name=found.people[person].full)) for person in listed]
        for voice in talk.talkers
    ]
    given = Given.WHOLE if talk.is_listed_whole else Given.OTHER
    return Example(np.array(features), np.array(right), share, given)


def unlisted_example_of(case: NamingCase) -> Example | None:
    """The features that naming would weigh without a list; None where it would weigh nobody.

    Of the voices without a name those that the page names count.
    """
    found = found_by_rules(case.transcript)
    weighed = candidates(found.talk, found.people, found.heard, found.pieces, found.named)
    voices = [voice for voice in weighed.voices if voice in case.truth]
    if not voices or len(found.talk.talkers) > MOST_PEOPLE:
        return None
    features = [
        [[weighed.features[voice, person].get(each, 0.0) for each in UNLISTED_FEATURES] for person in weighed.people]
        for voice in voices
    ]
    right = [
        [is_right(case, Speaker(voice, name=found.people[person].full)) for person in weighed.people]
        for voice in voices
    ]
    return Example(np.array(features), np.array(right), 1.0, Given.NONE)


def examples_of(page: Path, others: Sequence[Participant]) -> list[Example]:
    """A page with its own list, with one name taken off, and with one of `others` for it and beside all, and without
    a list.
    """
    case = published_case(page.read_bytes(), name=page.name)
    if case is None:
        return []
    chance = random.Random(page.name)
    given = {each.name.split()[0] for each in case.participants}
    strangers = [each for each in others if each.name.split()[0] not in given]
    own = case.participants
    one = chance.randrange(len(own))
    lists = [(own, 1.0), (own[:one] + own[one + 1 :], CHANGED)]
    if strangers:
        stranger = chance.choice(strangers)
        lists += [((*own[:one], stranger, *own[one + 1 :]), EXCHANGED), ((*own, stranger), CHANGED)]
    cases = [(replace(case, participants=each), share) for each, share in lists]
    examples = [*(example_of(each, share) for each, share in cases), unlisted_example_of(case)]
    return [each for each in examples if each is not None]


def regulars_of(pages: Sequence[Path]) -> list[Participant]:
    """Everybody who is named on the pages of a house, in the order of their names."""
    cases = (published_case(page.read_bytes(), name=page.name) for page in pages)
    names = {each.name for case in cases if case is not None for each in case.participants}
    return [parse_participant(name) for name in sorted(names) if " " in name]


def fitted(examples: Sequence[Example]) -> Mapping[Feature, float]:
    """The weights of people on a list that make the right pairs likeliest (maximum likelihood over all ways, with
    shrinkage).
    """
    whole = [each for each in examples if each.given is Given.WHOLE]
    other = [each for each in examples if each.given is Given.OTHER]
    of_all = [i for i, each in enumerate(FEATURES) if each not in OF_OTHER_LISTS]
    of_other = [i for i, each in enumerate(FEATURES) if each in OF_OTHER_LISTS]
    weights = np.array([WEIGHTS[each] for each in FEATURES])
    for shown, free in ((whole, of_all), (other, of_other)):
        if shown:
            weights = _likeliest(shown, weights, free)
    return dict(zip(FEATURES, weights.tolist(), strict=True))


def fitted_unlisted(examples: Sequence[Example]) -> Mapping[Feature, float]:
    """The same of people whom no list gives."""
    shown = [each for each in examples if each.given is Given.NONE]
    start = np.array([UNLISTED_WEIGHTS[each] for each in UNLISTED_FEATURES])
    weights = _likeliest(shown, start, range(len(start))) if shown else start
    return dict(zip(UNLISTED_FEATURES, weights.tolist(), strict=True))


def _likeliest(examples: Sequence[Example], start: Matrix, free: Sequence[int]) -> Matrix:
    """The weights with those of the `free` features fitted and the rest as they are."""

    def cost(chosen: Matrix) -> tuple[float, Matrix]:
        weights = start.copy()
        weights[list(free)] = chosen
        loss, slope = SHRINKAGE * float(chosen @ chosen) / 2, SHRINKAGE * chosen
        for each in examples:
            values = each.features @ weights
            allowed = np.where(each.right, values, -np.inf)
            # A voice whose name is on the list is that person; it cannot be left out of the right ways.
            owed = np.asarray(each.right.any(axis=1))
            allowed = np.where(owed[:, None] & each.right, allowed + CERTAIN, allowed)
            likely = worth_of_all(allowed.tolist()) - CERTAIN * owed.sum()
            loss -= each.share * (likely - worth_of_all(values.tolist()))
            difference = np.array(chances_of_pairs(values.tolist())) - np.array(chances_of_pairs(allowed.tolist()))
            slope = slope + each.share * np.einsum("vp,vpf->f", difference, each.features[:, :, list(free)])
        return loss, slope

    found = minimize(cost, start[list(free)], jac=True, method="L-BFGS-B", options={"maxiter": 100})
    weights = start.copy()
    weights[list(free)] = found.x
    return weights


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, 1 (no page is of use), 2 (usage)."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.naming_weights", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="a house: pages at any depth")
    parser.add_argument("--draw", type=int, metavar="N", help="at most so many pages of each house, by lot")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    asked = parser.parse_args(arguments)
    examples = [each for folder in asked.folders for each in _examples(folder, asked.draw, asked.jobs)]
    if not examples:
        print("no page has a list that can be weighed")
        return 1
    print(f"# lists of {sum(each.share == 1.0 and each.given is not Given.NONE for each in examples)} pages")
    _print(fitted(examples))
    print(f"# no list, {sum(each.given is Given.NONE for each in examples)} pages")
    _print(fitted_unlisted(examples))
    return 0


def _print(weights: Mapping[Feature, float]) -> None:
    for feature, weight in weights.items():
        print(f"    Feature.{feature.name}: {weight:.2f},")


def _examples(folder: Path, draw: int | None, jobs: int) -> Iterator[Example]:
    pages = pages_of(folder, half=Half.SEEN, only=None, draw=draw)
    others = regulars_of(pages)
    with ProcessPoolExecutor(max(1, jobs)) as workers:
        for found in workers.map(partial(examples_of, others=others), pages, chunksize=4):
            yield from found


if __name__ == "__main__":
    raise SystemExit(main())
