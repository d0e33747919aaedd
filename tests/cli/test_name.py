"""`stenocast name` on documents."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.name import name
from schemas.episode import Episode
from schemas.errors import NotFound, OptionError, PageError
from schemas.transcript import NameMethod, Paragraph, Speaker, Transcript, Turn
from schemas.wire import read_json, write_json

app = typer.Typer()
app.command()(name)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    turns = (
        Turn("t1", "S1", (Paragraph("p1", "Hello. My name is Greta Vance.", 1.0, 4.0),), 1.0, 4.0),
        Turn("t2", "S2", (Paragraph("p2", "I mend [old] clocks.", 4.0, 6.0),), 4.0, 6.0),
    )
    transcript = Transcript(episode=Episode("e"), speakers=(Speaker("S1"), Speaker("S2")), turns=turns)
    path = tmp_path / "talk.json"
    path.write_bytes(write_json(transcript))
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_the_table_shows_name_method_confidence_and_quote(document: Path) -> None:
    shown = run(str(document))

    assert "Greta Vance" in shown
    assert "self_introduction" in shown
    assert "0.95" in shown
    assert "“My name is Greta Vance” [00:00:01]" in shown
    assert "Speaker 2" in shown


def test_json_gives_the_speakers_as_the_document_has_them(document: Path) -> None:
    speakers = json.loads(run(str(document), "--json"))

    assert [each["name"] for each in speakers] == ["Greta Vance", None]
    assert speakers[0]["evidence"][0]["turn"] == "t1"


def test_a_speaker_may_be_called_by_the_name_that_is_printed(document: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.json"
    run(str(document), "--output", str(named))

    speakers = json.loads(run(str(named), "--set", "greta vance=Greta Vanse", "--json"))

    assert [(each["name"], each["known_by"]) for each in speakers] == [("Greta Vanse", "given"), (None, None)]
    with pytest.raises(OptionError, match=r"no 'Gerta'; it has Speaker 1 \(Greta Vance\), Speaker 2$"):
        run(str(named), "--set", "Gerta=Greta Vance")


def test_output_writes_the_named_document(document: Path, tmp_path: Path) -> None:
    run(str(document), "--participant", "Dr Greta Vance, host", "--output", str(tmp_path / "named.json"))

    named = read_json(Transcript, (tmp_path / "named.json").read_bytes())
    assert named.speakers[0].known_by is NameMethod.PARTICIPANT
    assert named.speakers[0].honorific == "Dr"
    assert named.episode.participants[0].name == "Greta Vance"


def test_output_to_standard_output_is_the_document_alone(document: Path) -> None:
    named = read_json(Transcript, run(str(document), "--output", "-"))

    assert named.speakers[0].name == "Greta Vance"


def test_afresh_forgets_a_name_given_before(document: Path) -> None:
    run(str(document), "--output", str(document))
    text = document.read_text(encoding="utf-8").replace('"self_introduction"', '"given"', 1)
    document.write_text(text.replace('"name": "Greta Vance"', '"name": "Somebody Else"', 1), encoding="utf-8")

    assert "Somebody Else" in run(str(document))
    assert "Somebody Else" not in run(str(document), "--afresh")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["missing.json"], NotFound),
        (["{document}", "--participant", " , host"], OptionError),
        (["{document}", "--json", "--output", "-"], OptionError),
        (["{document}", "--set", "Ada Quill"], OptionError),
        (["{document}", "--set", "Speaker 7=Ada Quill"], OptionError),
    ],
)
def test_wrong_arguments_are_errors_of_ours(document: Path, arguments: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(*(argument.format(document=document) for argument in arguments))


def test_what_is_no_document_is_an_error_that_names_file_and_field(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('{"speakers": []}', encoding="utf-8")

    with pytest.raises(PageError, match=r"bad\.json: .*episode"):
        run(str(tmp_path / "bad.json"))


@pytest.mark.parametrize("which", ["Speaker 2", "speaker 2", "S2"])
def test_a_name_set_by_hand_is_given_to_that_speaker_and_stays(document: Path, tmp_path: Path, which: str) -> None:
    run(str(document), "--set", f"{which}=Dr Ada Quill, guest", "--output", str(tmp_path / "named.json"))

    speaker = read_json(Transcript, (tmp_path / "named.json").read_bytes()).speakers[1]
    assert (speaker.name, speaker.honorific, speaker.known_by) == ("Ada Quill", "Dr", NameMethod.GIVEN)
    assert speaker.evidence[0].quote == "I mend [old] clocks."
    assert "Ada Quill" in run(str(tmp_path / "named.json"))


def test_the_name_set_by_hand_is_given_to_nobody_else(document: Path) -> None:
    speakers = json.loads(run(str(document), "--set", "Speaker 2=Greta Vance", "--json"))

    assert [each["name"] for each in speakers] == [None, "Greta Vance"]


def test_standard_error_says_why_each_name_is_believed_or_not(document: Path) -> None:
    result = CliRunner().invoke(app, [str(document)], catch_exceptions=False)

    assert result.stderr.splitlines() == [
        "Speaker 1 is Greta Vance (self_introduction: “My name is Greta Vance” [00:00:01])",
        "Speaker 2: nothing says who it is",
    ]


def test_weak_evidence_is_shown_and_not_believed(tmp_path: Path) -> None:
    texts = ["It leaks.", "Thanks, Olaf.", "It does leak."]
    turns = tuple(Turn(f"t{n}", f"S{n}", (Paragraph(f"p{n}", text),)) for n, text in enumerate(texts, start=1))
    transcript = Transcript(episode=Episode("e"), speakers=(Speaker("S1"), Speaker("S2"), Speaker("S3")), turns=turns)
    path = tmp_path / "talk.json"
    path.write_bytes(write_json(transcript))

    result = CliRunner().invoke(app, [str(path)], catch_exceptions=False)

    assert "Speaker 1 may be Olaf (“Thanks, Olaf”), but that alone is too little" in result.stderr


def test_a_folder_is_called_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="is a folder"):
        CliRunner().invoke(app, [str(tmp_path)], catch_exceptions=False)


def test_two_swapped_names_are_set_together_and_taken_back_together(document: Path, tmp_path: Path) -> None:
    named = str(tmp_path / "named.json")
    run(str(document), "--set", "Speaker 1=Ada Quill", "--set", "S2=Bram Stone", "--output", named)
    run(named, "--set", "S1=Bram Stone", "--set", "S2=Ada Quill", "--output", named)
    swapped = [each["name"] for each in json.loads(run(named, "--json"))]
    back = [each["name"] for each in json.loads(run(named, "--unset", "S1", "--unset", "Speaker 2", "--json"))]

    assert swapped == ["Bram Stone", "Ada Quill"]
    assert back == ["Greta Vance", None]


def test_a_speaker_whom_nobody_knows_stays_without_a_name(document: Path, tmp_path: Path) -> None:
    run(str(document), "--set", "Speaker 1=", "--output", str(tmp_path / "named.json"))
    result = CliRunner().invoke(app, [str(tmp_path / "named.json")], catch_exceptions=False)

    assert result.stderr.splitlines()[0] == "Speaker 1 stays without a name (given by hand)"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--set", "S1=Ada Quill", "--set", "Speaker 1=Bram Stone"],
        ["--set", "S1=Ada Quill", "--unset", "S1"],
        ["--unset", "Speaker 7"],
        ["--set", "S1=Ada Quill", "--set", "S2=ada quill"],
    ],
)
def test_names_that_contradict_each_other_are_refused(document: Path, arguments: list[str]) -> None:
    with pytest.raises(OptionError):
        run(str(document), *arguments)
