from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from clauselens.dataset.rows import clauses
from clauselens.errors import InputError
from clauselens.model.encoding import InputEncoder, InputFormat
from clauselens.records import Context


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return AutoTokenizer.from_pretrained(model_folder)


def encoder(model_folder, **settings_):
    return InputEncoder.load(model_folder, InputFormat(**settings_))


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_a_bare_sentence_is_encoded_as_the_tokenizer_does(model_folder, tokenizer, text):
    ((window,),) = encoder(model_folder).encode([text])
    expected = tokenizer(text)
    assert list(window.ids) == expected["input_ids"]
    assert list(window.type_ids) == expected["token_type_ids"]


def test_context_is_the_first_segment(model_folder, tokenizer, examples):
    rows = [e for e in clauses(examples, "train") if e.section and e.lead_in][:20]
    encoded = encoder(model_folder, previous=True).encode(
        [e.text for e in rows], [e.context for e in rows]
    )
    for (window,), row in zip(encoded, rows, strict=True):
        expected = tokenizer(row.context.text, row.text)
        assert list(window.ids) == expected["input_ids"]
        assert list(window.type_ids) == expected["token_type_ids"]


def test_the_sentence_before_is_left_out_where_the_format_has_no_place_for_it(model_folder):
    text, told = "They may do so too.", Context(section="Sharing", previous="Partners read it.")
    without = encoder(model_folder).encode([text], [told])
    assert without == encoder(model_folder).encode([text], [Context(section="Sharing")])
    assert without != encoder(model_folder, previous=True).encode([text], [told])


def test_truncation_takes_the_context_from_its_far_end_and_never_the_sentence(
    model_folder, tokenizer
):
    context = Context(section="one two three four five", lead_in="six seven eight nine ten:")
    text = "we keep your data for as long as the law wants it"
    ((window,),) = encoder(model_folder, max_length=20, stride=4).encode([text], [context])
    assert len(window.ids) == 20
    first = [i for i, t in zip(window.ids, window.type_ids, strict=True) if t == 0]
    second = [i for i, t in zip(window.ids, window.type_ids, strict=True) if t == 1]
    assert tokenizer.decode(second, skip_special_tokens=True) == text
    assert tokenizer.decode(first, skip_special_tokens=True).endswith("nine ten :")


def test_windows_overlap_and_cover_a_long_text(model_folder, tokenizer):
    words = " ".join(f"word{i}" for i in range(200))
    whole = tokenizer(words, add_special_tokens=False)["input_ids"]
    (windows,) = encoder(model_folder, max_length=64, stride=16).encode(
        [words], [Context(section="x")]
    )
    inner = [list(window.ids[1:-1]) for window in windows]
    assert all(len(window.ids) <= 64 for window in windows)
    rebuilt = inner[0]
    for piece in inner[1:]:
        assert rebuilt[-16:] == piece[:16]
        rebuilt = rebuilt + piece[16:]
    assert rebuilt == whole


def test_encoding_does_not_hang_on_the_rows_beside(model_folder, examples):
    rows = clauses(examples, "test")[:30]
    together = encoder(model_folder).encode([e.text for e in rows], [e.context for e in rows])
    alone = [encoder(model_folder).encode([e.text], [e.context])[0] for e in rows]
    assert together == alone


@pytest.mark.parametrize("bad", [{"max_length": 8}, {"max_length": 64, "stride": 60}])
def test_a_format_that_cannot_work_is_refused(bad):
    with pytest.raises(InputError, match=r"input\.(max_length|stride) is"):
        InputFormat(**bad)
