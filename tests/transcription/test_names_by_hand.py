"""Names that somebody gives: they stay, leave the wrong voice, and can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from schemas.episode import AudioInfo, Episode, Participant, Role
from schemas.errors import NotFound, OptionError
from schemas.names_by_hand import NameByHand
from schemas.transcript import NameMethod, Paragraph, Speaker, Transcript, Turn
from transcription.names_by_hand import (
    checked_name,
    is_as_said,
    is_nobody,
    named_by_hand,
    names_lost,
    with_names_anew,
    with_names_kept,
)
from transcription.naming import name_speakers

ADA = NameByHand("Ada Quill")
BRAM = NameByHand("Bram Stone")
NOBODY = NameByHand(None)


def talk(*said: tuple[str, str], participants: tuple[Participant, ...] = ()) -> Transcript:
    """A document of these turns, named by evidence."""
    turns = tuple(
        Turn(f"t{n}", who, (Paragraph(f"p{n}", text, float(n), n + 1.0),), float(n), n + 1.0)
        for n, (who, text) in enumerate(said)
    )
    speakers = tuple(Speaker(each, f"voice {each[1:]}") for each in dict.fromkeys(who for who, _ in said))
    return name_speakers(Transcript(Episode("e", participants=participants), speakers=speakers, turns=turns))


@pytest.fixture
def greta() -> Transcript:
    return talk(("S1", "Hello. My name is Greta Vance."), ("S2", "I mend old clocks."), ("S1", "Do you?"))


def names(transcript: Transcript) -> list[str | None]:
    return [each.name for each in transcript.speakers]


def test_a_name_given_by_hand_says_so_and_where_the_voice_is_heard(greta: Transcript) -> None:
    named = named_by_hand(greta, {"S2": ADA})

    speaker = named.speakers[1]
    assert (speaker.name, speaker.known_by, speaker.confidence) == ("Ada Quill", NameMethod.GIVEN, 1.0)
    assert [(each.method, each.quote, each.turn, each.start) for each in speaker.evidence] == [
        (NameMethod.GIVEN, "I mend old clocks.", "t1", 1.0)
    ]
    assert named.turns == greta.turns
    assert named.speakers[0] == greta.speakers[0]


def test_a_name_given_to_one_voice_leaves_the_one_that_evidence_gave_it_to(greta: Transcript) -> None:
    assert names(named_by_hand(greta, {"S2": NameByHand("Greta Vance")})) == [None, "Greta Vance"]


def test_whatever_naming_finds_nobody_else_has_a_name_that_was_given(
    greta: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Naming gives no name twice by itself; that nothing is printed twice does not rest on it."""
    monkeypatch.setattr(
        "transcription.names_by_hand.name_speakers",
        lambda document: replace(
            document,
            speakers=tuple(replace(each, name="Ada Quill", known_by=each.known_by) for each in document.speakers),
        ),
    )

    named = named_by_hand(greta, {"S2": ADA})

    assert names(named) == [None, "Ada Quill"]
    assert named.speakers[0].evidence == ()


def test_two_swapped_names_are_put_right_together(greta: Transcript) -> None:
    wrong = named_by_hand(greta, {"S1": ADA, "S2": BRAM})

    assert names(named_by_hand(wrong, {"S1": BRAM, "S2": ADA})) == ["Bram Stone", "Ada Quill"]


def test_the_last_of_those_who_are_listed_is_known_once_the_others_are() -> None:
    listed = (Participant("Ada Quill"), Participant("Bram Stone"))
    said = tuple((f"S{1 + n % 2}", "We mend clocks, all day long. " * 12) for n in range(12))
    document = talk(*said, participants=listed)
    document = replace(document, speakers=tuple(replace(each, speech_seconds=90.0) for each in document.speakers))
    assert names(name_speakers(document)) == [None, None]

    assert names(named_by_hand(document, {"S1": ADA})) == ["Ada Quill", "Bram Stone"]


def test_what_was_known_of_the_wrong_person_leaves_with_the_name(greta: Transcript) -> None:
    of_greta = replace(
        greta.speakers[0], honorific="Dr", description="head of tides", aliases=("Gretchen",), role=Role.HOST
    )
    document = replace(greta, speakers=(of_greta, greta.speakers[1]))

    renamed = named_by_hand(document, {"S1": ADA}).speakers[0]
    confirmed = named_by_hand(document, {"S1": NameByHand("Greta Vance")}).speakers[0]

    assert (renamed.honorific, renamed.description, renamed.aliases) == (None, None, ())
    assert renamed.role is Role.HOST
    assert (confirmed.honorific, confirmed.description, confirmed.aliases) == ("Dr", "head of tides", ("Gretchen",))
    assert confirmed.evidence == of_greta.evidence
    assert confirmed.known_by is NameMethod.GIVEN


def test_a_listed_participants_name_brings_what_is_known_of_the_person() -> None:
    listed = (Participant("Ada Quill", Role.GUEST, "head of tides", "Dr", ("Addie",)),)
    document = talk(("S1", "The tide is late."), participants=listed)

    speaker = named_by_hand(document, {"S1": NameByHand("ada quill")}).speakers[0]

    assert (speaker.role, speaker.description, speaker.honorific, speaker.aliases) == (
        Role.GUEST,
        "head of tides",
        "Dr",
        ("Addie",),
    )


def test_a_name_that_was_taken_back_is_for_the_evidence_again(greta: Transcript) -> None:
    wrong = named_by_hand(greta, {"S1": ADA, "S2": BRAM})

    assert named_by_hand(wrong, {"S1": None, "S2": None}) == greta


def test_to_take_back_what_nobody_gave_changes_nothing(greta: Transcript) -> None:
    assert named_by_hand(greta, {"S1": None, "S2": None}) == greta


def test_who_is_nobody_that_is_known_stays_so_when_others_are_named(greta: Transcript) -> None:
    nameless = named_by_hand(greta, {"S1": NOBODY})
    later = named_by_hand(nameless, {"S2": ADA})

    assert names(nameless) == [None, None]
    assert nameless.speakers[0].evidence == ()
    assert names(later) == [None, "Ada Quill"]
    assert [is_nobody(each) for each in later.speakers] == [True, False]
    assert names(named_by_hand(later, {"S1": None})) == ["Greta Vance", "Ada Quill"]


@pytest.mark.parametrize(
    "said", [{"S1": ADA}, {"S1": NOBODY}, {"S1": None}, {"S2": ADA, "S1": NameByHand("Greta Vance")}]
)
def test_what_was_given_is_as_said_and_giving_it_again_changes_nothing(
    greta: Transcript, said: dict[str, NameByHand | None]
) -> None:
    named = named_by_hand(greta, said)

    assert is_as_said(named, said)
    assert named_by_hand(named, said) == named


@pytest.mark.parametrize("said", [{"S1": ADA}, {"S1": NOBODY}, {"S9": ADA}, {"S1": NameByHand("Greta Vance")}])
def test_what_was_not_given_yet_is_not_as_said(greta: Transcript, said: dict[str, NameByHand | None]) -> None:
    assert not is_as_said(greta, said)


def test_a_speaker_that_there_is_not_is_named_with_those_that_there_are(greta: Transcript) -> None:
    with pytest.raises(NotFound, match=r"'S3': no such speaker; the transcript has S1, S2") as error:
        named_by_hand(greta, {"S3": ADA})

    assert error.value.code == "speaker_unknown"


@pytest.mark.parametrize("method", [NameMethod.GIVEN, NameMethod.KNOWN_VOICE, NameMethod.PAGE])
def test_a_name_that_another_speaker_keeps_is_refused(greta: Transcript, method: NameMethod) -> None:
    kept = replace(greta.speakers[0], name="Ada  QUILL", known_by=method)
    document = replace(greta, speakers=(kept, greta.speakers[1]))

    with pytest.raises(OptionError, match=r"'Ada Quill' cannot be S2: S1 has that name") as error:
        named_by_hand(document, {"S2": ADA})

    assert (error.value.code, error.value.field) == ("name_taken", "speakers.S2")


def test_one_name_for_two_speakers_at_once_is_refused(greta: Transcript) -> None:
    with pytest.raises(OptionError, match="has that name"):
        named_by_hand(greta, {"S1": ADA, "S2": ADA})


def test_two_voices_that_a_page_calls_alike_keep_their_names_when_another_is_named() -> None:
    document = talk(("S1", "One."), ("S2", "Two."), ("S3", "Three."))
    alike = [replace(each, name="Caller", known_by=NameMethod.PAGE) for each in document.speakers[:2]]
    document = replace(document, speakers=(*alike, document.speakers[2]))

    assert names(named_by_hand(document, {"S3": ADA})) == ["Caller", "Caller", "Ada Quill"]


def test_the_names_that_voices_lost_are_told_though_others_have_them_now(greta: Transcript) -> None:
    both = named_by_hand(greta, {"S1": ADA, "S2": BRAM})

    assert names_lost(greta, named_by_hand(greta, {"S2": BRAM})) == frozenset()
    assert names_lost(greta, both) == {"Greta Vance"}
    assert names_lost(both, named_by_hand(both, {"S1": BRAM, "S2": ADA})) == {"Ada Quill", "Bram Stone"}
    assert names_lost(both, named_by_hand(both, {"S2": NOBODY})) == {"Bram Stone"}
    assert names_lost(greta, named_by_hand(greta, {"S2": NameByHand("Greta Vance")})) == {"Greta Vance"}


def test_a_document_that_nobody_touched_is_named_as_ever(greta: Transcript) -> None:
    assert with_names_anew(greta) == greta


def heard(*said: tuple[str, float, float], sha256: str | None = "a" * 64) -> Transcript:
    """A document of who speaks from when to when."""
    turns = tuple(
        Turn(f"t{n}", who, (Paragraph(f"p{n}", "We mend clocks.", start, end),), start, end)
        for n, (who, start, end) in enumerate(said)
    )
    speakers = tuple(Speaker(each, f"voice {each[1:]}") for each in dict.fromkeys(who for who, _, _ in said))
    return Transcript(Episode("e", audio=AudioInfo(sha256=sha256)), speakers=speakers, turns=turns)


TWO = (("S1", 0.0, 10.0), ("S2", 10.0, 30.0), ("S1", 30.0, 60.0))


def test_names_by_hand_are_kept_for_the_voices_that_speak_at_the_same_times() -> None:
    earlier = named_by_hand(heard(*TWO), {"S1": NameByHand("Ada Quill", "Dr", Role.HOST), "S2": NOBODY})
    later = heard(("S1", 10.0, 30.0), ("S2", 30.5, 60.0), ("S2", 0.0, 9.5), ("S3", 9.5, 10.0))

    kept = with_names_kept(earlier, later)

    assert names(kept) == [None, "Ada Quill", None]
    assert [is_nobody(each) for each in kept.speakers] == [True, False, False]
    ada = kept.speakers[1]
    assert (ada.known_by, ada.confidence, ada.honorific, ada.role) == (NameMethod.GIVEN, 0.975, "Dr", Role.HOST)
    assert [(each.method, each.confidence, each.turn) for each in ada.evidence] == [(NameMethod.GIVEN, 0.975, "t1")]


@pytest.mark.parametrize(
    ("later", "kept"),
    [
        ((("S1", 0.0, 70.0),), [None]),  # both voices as one: 40 of 70 seconds are Ada's
        ((("S1", 0.0, 10.0), ("S2", 10.0, 30.0), ("S3", 30.0, 60.0)), [None, None, "Ada Quill"]),
        ((("S1", 0.0, 10.0), ("S2", 10.0, 40.0), ("S1", 40.0, 60.0)), ["Ada Quill", None]),
        ((("S1", 0.0, 10.0), ("S2", 10.0, 45.0), ("S1", 45.0, 60.0)), [None, None]),
        ((("S1", 70.0, 90.0),), [None]),
        ((), []),
    ],
)
def test_a_name_is_kept_only_where_most_of_either_voice_is_the_others(
    later: tuple[tuple[str, float, float], ...], kept: list[str | None]
) -> None:
    earlier = named_by_hand(heard(*TWO), {"S1": ADA})

    assert names(with_names_kept(earlier, heard(*later))) == kept


LISTED = (Participant("Ada Quill", honorific="Dr", description="clocks"),)


def test_what_was_taken_away_of_a_person_does_not_come_back_from_the_participants() -> None:
    document = replace(heard(*TWO), episode=replace(heard(*TWO).episode, participants=LISTED))
    named = named_by_hand(document, {"S1": ADA})
    bare = named_by_hand(named, {"S1": NameByHand("Ada Quill", "", description="")})

    assert [(each.honorific, each.description) for each in (named.speakers[0], bare.speakers[0])] == [
        ("Dr", "clocks"),
        (None, None),
    ]
    assert is_as_said(bare, {"S1": NameByHand("Ada Quill", "", description="")})
    host = named_by_hand(bare, {"S1": NameByHand("Ada Quill", role=Role.HOST)}).speakers[0]
    assert (host.honorific, host.description, host.role) == (None, None, Role.HOST)
    kept = with_names_kept(bare, document).speakers[0]
    assert (kept.name, kept.honorific, kept.description) == ("Ada Quill", None, None)


def test_a_name_that_is_kept_takes_over_what_is_known_of_the_person_by_now() -> None:
    """Nobody took it away: it was not known."""
    listed_later = replace(heard(*TWO), episode=replace(heard(*TWO).episode, participants=LISTED))

    kept = with_names_kept(named_by_hand(heard(*TWO), {"S1": ADA}), listed_later).speakers[0]

    assert (kept.honorific, kept.description) == ("Dr", "clocks")


@pytest.mark.parametrize("sha256", [None, "b" * 64])
def test_another_recording_keeps_no_name(sha256: str | None) -> None:
    earlier = named_by_hand(heard(*TWO), {"S1": ADA})
    later = heard(*TWO, sha256=sha256)

    assert with_names_kept(earlier, later) == later
    assert with_names_kept(replace(earlier, episode=later.episode), later).speakers[0].name == (
        None if sha256 is None else "Ada Quill"
    )


def test_names_of_evidence_are_found_anew_and_not_kept() -> None:
    named = heard(*TWO)
    by_evidence = replace(named.speakers[0], name="Ada Quill", known_by=NameMethod.ADDRESS)
    earlier = replace(named, speakers=(by_evidence, named.speakers[1]))

    assert with_names_kept(earlier, heard(*TWO)) == heard(*TWO)


def test_a_name_is_not_kept_beside_a_known_voice_that_has_it() -> None:
    earlier = named_by_hand(heard(*TWO), {"S1": ADA, "S2": BRAM})
    later = heard(*TWO)
    known = replace(later.speakers[1], name="Ada Quill", known_by=NameMethod.KNOWN_VOICE)
    later = replace(later, speakers=(later.speakers[0], known))

    assert names(with_names_kept(earlier, later)) == [None, "Bram Stone"]


def test_one_name_that_an_old_document_gives_twice_is_kept_once() -> None:
    earlier = heard(*TWO)
    earlier = replace(
        earlier, speakers=tuple(replace(s, name="Ada", known_by=NameMethod.GIVEN) for s in earlier.speakers)
    )

    assert sorted(names(with_names_kept(earlier, heard(*TWO))), key=str) == ["Ada", None]


def test_what_was_kept_is_kept_again_and_can_be_given_again() -> None:
    kept = with_names_kept(named_by_hand(heard(*TWO), {"S1": ADA}), heard(*TWO))

    assert names(with_names_kept(kept, heard(*TWO))) == ["Ada Quill", None]
    assert is_as_said(kept, {"S1": ADA})


@pytest.mark.parametrize(
    ("given", "checked"),
    [
        ("  Dr  Ada\tQuill , guest", NameByHand("Ada Quill", "Dr", Role.GUEST)),
        (NameByHand("  Zoe\u0308  Okri "), NameByHand("Zoë Okri")),
        (NameByHand("علی\u200cرضا"), NameByHand("علی\u200cرضا")),
        (NameByHand("Ada", aliases=("A", "A", " B ")), NameByHand("Ada", aliases=("A", "B"))),
        (NameByHand(None, honorific="Dr", role=Role.HOST), NameByHand(None, role=Role.HOST)),
    ],
)
def test_a_name_is_kept_on_one_line_and_composed(given: NameByHand | str, checked: NameByHand) -> None:
    assert checked_name(given, field="speakers.S1") == checked


@pytest.mark.parametrize(
    "given",
    [
        "",
        "  ",
        ", guest",
        "x" * 400,
        "Ada\x07",
        NameByHand(""),
        NameByHand("…"),
        NameByHand("x" * 301),
        "Ada \udc80Quill",
        NameByHand("Ada\x00Quill"),
        NameByHand("Ada \u202eQuill"),
        NameByHand("Ada", honorific="x" * 101),
        NameByHand("Ada", description="x" * 2001),
        NameByHand("Ada", aliases=("",)),
        NameByHand("Ada", aliases=tuple(f"a{n}" for n in range(21))),
    ],
)
def test_what_is_no_name_is_refused_and_the_field_is_named(given: NameByHand | str) -> None:
    with pytest.raises(OptionError) as error:
        checked_name(given, field="speakers.S1")

    assert (error.value.code, error.value.field) == ("name_invalid", "speakers.S1")


@pytest.mark.parametrize("pasted", ["\ufeffAda Quill", "Ada \u200bQuill", "A\u00adda Quill", "Ada\u2060 Quill"])
def test_what_nobody_sees_in_a_pasted_name_is_left_out(pasted: str) -> None:
    assert checked_name(pasted, field="f").name == checked_name(NameByHand(pasted), field="f").name == "Ada Quill"


def test_a_joiner_between_letters_stays() -> None:
    assert checked_name("\u0645\u06cc\u200c\u062e", field="f").name == "\u0645\u06cc\u200c\u062e"


@pytest.mark.parametrize("text", ["Ada\uffff", "Ada\U0001fffe", "Ada\ufdd0", "Ada\U000e0041"])
def test_what_no_page_can_show_is_no_name(text: str) -> None:
    for given in (text, NameByHand(text)):
        with pytest.raises(OptionError, match="control characters") as caught:
            checked_name(given, field="f")
        assert caught.value.code == "name_invalid"


@pytest.mark.parametrize("text", ["Speaker 2", "speaker  12", "Unknown voice"])
def test_what_a_speaker_without_a_name_is_called_is_no_name(text: str) -> None:
    for given in (text, NameByHand(text)):
        with pytest.raises(OptionError, match="without a name") as caught:
            checked_name(given, field="f")
        assert caught.value.code == "name_invalid"
    assert checked_name("Speaker Martin", field="f").name == "Speaker Martin"


@pytest.mark.parametrize("alike", ["Ada Qu\u200dill", "Ada\u200e Quill", "\uff21da Quill"])
def test_two_speakers_cannot_have_names_that_look_alike(greta: Transcript, alike: str) -> None:
    with pytest.raises(OptionError) as caught:
        named_by_hand(greta, {"S1": ADA, "S2": NameByHand(alike)})

    assert caught.value.code == "name_taken"
