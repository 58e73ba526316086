"""What the sessions of the soak count as an answer, as a refusal in a sentence, and as something wrong.

One rule: each kind of answer that a portal must never give is here, so that the soak cannot pass by overlooking it.
"""

import pytest

from tests.bench.soak import judged
from tests.portal.caller import Answered

JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (Answered(200, JSON, b'{"response": {}}'), False),
        (Answered(302, HTML, b""), False),
        (Answered(304, {}, b""), False),
        (Answered(503, JSON, b'{"text": "The query\'s own process broke. Ask again."}'), True),
        (Answered(200, JSON, b'{"response": "Revenue cannot be shown"}'), True),
    ],
)
def test_answers_and_refusals_are_told_apart_and_nothing_is_wrong_with_them(answer: Answered, refused: bool) -> None:
    assert judged(answer) == (refused, "")


@pytest.mark.parametrize(
    "answer",
    [
        Answered(200, JSON, b""),
        Answered(500, JSON, b'{"text": "Unexpected error, reference 5e2d97b6. The log has the details."}'),
        Answered(200, JSON, b'{"response": "Traceback (most recent call last)"}'),
        Answered(502, HTML, b"<html>Bad gateway</html>"),
        Answered(503, JSON, b'{"text": "oops"}'),
        Answered(503, JSON, b"{}"),
    ],
)
def test_what_no_portal_should_say_is_wrong(answer: Answered) -> None:
    assert judged(answer)[1] != ""
