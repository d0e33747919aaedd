"""Participants as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.episode import Participant, Role
from schemas.errors import OptionError
from transcription.participants import parse_participant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Greta Vance", Participant("Greta Vance")),
        ("  Greta   Vance ,host ", Participant("Greta Vance", role=Role.HOST)),
        ("Greta Vance, Guest", Participant("Greta Vance", role=Role.GUEST)),
        ("Greta Vance, announcer", Participant("Greta Vance", role=Role.ANNOUNCER)),
        ("Greta Vance, presenter", Participant("Greta Vance", role=Role.HOST, description="presenter")),
        ("Greta Vance, keeper of clocks", Participant("Greta Vance", description="keeper of clocks")),
        (
            "Dr Lena Fisk, head of the clinic, Quay Street",
            Participant("Lena Fisk", description="head of the clinic, Quay Street", honorific="Dr"),
        ),
        ("Prof. Dame Jo Pym, guest, poet", Participant("Jo Pym", Role.GUEST, "poet", "Prof. Dame")),
        ("Jo Pym, poet, guest", Participant("Jo Pym", Role.GUEST, "poet")),
        ("Greta Vance (host)", Participant("Greta Vance", role=Role.HOST)),
        ("Greta Vance (host, Quay Radio)", Participant("Greta Vance", Role.HOST, "Quay Radio")),
        ("Greta (Gret) Vance", Participant("Greta (Gret) Vance")),
        ("Greta Vance; guest", Participant("Greta Vance", role=Role.GUEST)),
        ("Greta Vance \u2013 keeper of clocks", Participant("Greta Vance", description="keeper of clocks")),
        ("Greta Vance-Low - host", Participant("Greta Vance-Low", role=Role.HOST)),
        ("Greta Vance (Quay Radio), host", Participant("Greta Vance", Role.HOST, "Quay Radio")),
        ("Greta Vance; keeper; guest", Participant("Greta Vance", Role.GUEST, "keeper")),
        ("Jo Pym, author of Low Water (2019)", Participant("Jo Pym", description="author of Low Water (2019)")),
        ("Jo Pym, author of Tides \u2013 a log", Participant("Jo Pym", description="author of Tides \u2013 a log")),
        ("Host: Greta Vance", Participant("Greta Vance", role=Role.HOST)),
        ("Host \u2013 Greta Vance", Participant("Greta Vance", role=Role.HOST)),
        ("Chair: Dr Lena Fisk, poet", Participant("Lena Fisk", Role.HOST, "poet, Chair", "Dr")),
        ("Major", Participant("Major")),
        ("Anneke van der Meer", Participant("Anneke van der Meer")),
        ("Zoe\u0308 Falk", Participant("Zo\u00eb Falk")),
    ],
)
def test_name_honorific_role_and_description_are_told_apart(text: str, expected: Participant) -> None:
    assert parse_participant(text) == expected


@pytest.mark.parametrize("text", ["", "  ", ", host", "Host: ", "42", "x" * 301, "Ann\x1b[2J Dee"])
def test_what_is_no_name_is_refused_with_the_field_named(text: str) -> None:
    with pytest.raises(OptionError) as caught:
        parse_participant(text)

    assert caught.value.field == "participant"


@given(st.text(max_size=80))
def test_any_text_is_a_participant_with_a_name_or_refused(text: str) -> None:
    try:
        participant = parse_participant(text)
    except OptionError:
        return

    assert participant.name.strip() == participant.name != ""
