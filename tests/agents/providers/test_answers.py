"""What each answer of a provider means. A row reads: this answer means that, because of what its comment says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agents.providers.messagebird_answers import messagebird, messagebird_blames_recipient, messagebird_codes
from agents.providers.smtp_answers import SMTP, enhanced_code, smtp, smtp_rule

ANSWERS = """
# The server took it
250 data               2.0.0 Ok: queued as 4F1B2C3D                                              -> sent
250 data               OK                                                                        -> sent
251 rcpt               User not local; will forward                                              -> sent
# What speaks of load is temporary whatever its digits, and a quota of ours is not the address's
432 data               4.3.2 Concurrent connections limit exceeded                              -> retry
432 data               4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded                -> retry
552 mail               5.2.2 Sender's mailbox is over quota                                     -> our_fault_stop
550 rcpt               5.1.0 sender quota exceeded for the account                              -> our_fault_stop
550 rcpt               5.7.705 Access denied, tenant has exceeded threshold                     -> our_fault_stop
552 rcpt               5.2.2 The recipient's mailbox is over quota                              -> retry
# QUIT comes after the answer to the message: whatever it gets, sending again would be sending twice
221 quit               Bye                                                                       -> sent
421 quit               4.4.2 timeout exceeded                                                    -> sent
# Temporary by its code, whatever the text says
421 rcpt               4.7.0 Try again later, closing connection                                 -> retry
421 connect            Too many connections                                                      -> retry
450 rcpt               4.1.1 <jan@example.org>: user unknown                                     -> retry
450 rcpt               5.1.1 User unknown (soft bounce)                                          -> retry
450 rcpt               4.2.0 Greylisted, see http://postgrey.example                             -> retry
451 data               4.7.1 Service unavailable, try again later                                -> retry
451 data               4.7.500 Server busy. Please try again later from [192.0.2.1]              -> retry
452 rcpt               4.5.3 Too many recipients                                                 -> retry
452 mail               4.3.1 Insufficient system storage                                         -> retry
454 auth               4.7.0 Temporary authentication failure                                    -> retry
454 starttls           TLS not available due to temporary reason                                 -> retry
432 auth               4.7.12 A password transition is needed                                    -> our_fault_stop
# No reply at all, or one to another command
-1  rcpt               Malformed SMTP response line                                              -> retry
354 rcpt               Go ahead                                                                  -> retry
0   rcpt                                                                                         -> retry
# The address
550 rcpt               5.1.1 <jan@example.org>: Recipient address rejected: User unknown         -> permanent_address
550 rcpt               5.1.1 The email account that you tried to reach does not exist.           -> permanent_address
550 rcpt               5.1.2 Host unknown                                                        -> permanent_address
553 rcpt               5.1.3 The recipient address is not a valid RFC-5321 address               -> permanent_address
501 rcpt               5.1.3 Bad recipient address syntax                                        -> permanent_address
550 rcpt               5.1.6 Mailbox has moved                                                   -> permanent_address
556 rcpt               5.1.10 Recipient address has null MX                                      -> permanent_address
550 rcpt               5.2.1 The email account that you tried to reach is disabled               -> permanent_address
550 data               5.1.1 User unknown                                                        -> permanent_address
550 rcpt               5.4.1 Recipient address rejected: Access denied. AS(201806281)            -> permanent_address
550 rcpt               5.4.310 DNS domain example.invalid does not exist                         -> permanent_address
550 rcpt               5.5.0 Requested action not taken: mailbox unavailable (S2017062302)       -> permanent_address
550 rcpt               5.7.17 Mailbox owner has changed                                          -> permanent_address
550 rcpt               5.6.7 SMTPUTF8 address is not supported                                   -> permanent_address
550 rcpt               #5.1.0 Address rejected.                                                  -> permanent_address
550 rcpt               user unknown                                                              -> permanent_address
550 rcpt               No such user here                                                         -> permanent_address
554 rcpt               delivery error: This user doesn't have a example.com account              -> permanent_address
550 rcpt               Requested action not taken: mailbox unavailable                           -> permanent_address
551 rcpt               User not local; please try <jan@elsewhere.example>                        -> permanent_address
553 rcpt               sorry, that domain isn't in my list of allowed rcpthosts                  -> permanent_address
550 rcpt                                                                                         -> permanent_address
501 rcpt               Syntax error in recipient address                                         -> permanent_address
# A rule of one mailbox must not stop the mail to all others
550 rcpt               5.7.133 Sender not authenticated for group                                -> permanent_address
554 rcpt               5.7.1 <jan@example.org>: Recipient address rejected: Access denied        -> permanent_address
# A full mailbox is a good address
552 rcpt               5.2.2 Mailbox full                                                        -> retry
552 data               5.2.2 The email account that you tried to reach is over quota             -> retry
552 rcpt               Requested mail action aborted: exceeded storage allocation                -> retry
550 rcpt               5.2.2 user has exceeded mailbox quota                                     -> retry
554 data               mailbox is full                                                           -> retry
552 data                                                                                         -> retry
550 rcpt               5.1.1 The recipient's inbox is out of storage space                       -> retry
# Our own speed, under any code
550 rcpt               5.1.1 <jan@example.org> sent to too many recipients this hour             -> retry
550 data               5.4.5 Daily user sending quota exceeded                                   -> retry
550 mail               Your account has exceeded the limit of 500 messages per hour              -> retry
554 data               5.7.1 Rate limit reached                                                  -> retry
550 rcpt               5.2.1 The user is receiving mail at a rate that prevents more             -> retry
554 connect            Too many connections from your host                                       -> retry
550 data               5.7.1 Message throttled                                                   -> retry
# It calls itself temporary, or the state of the server is
550 rcpt               4.2.2 mailbox busy                                                        -> retry
554 rcpt               5.3.2 System not accepting network messages                               -> retry
550 rcpt               Mailbox temporarily disabled                                              -> retry
# The message
552 mail               5.3.4 Message size exceeds fixed limit                                    -> permanent_message
552 data               Error: Too much mail data                                                 -> permanent_message
552 mail               Message size exceeds fixed maximum message size                           -> permanent_message
550 data               5.2.3 Message length exceeds administrative limit                         -> permanent_message
554 data               5.6.0 Message contains invalid header                                     -> permanent_message
552 data               5.7.0 This message was blocked: its content presents a potential security issue -> permanent_message
500 data               Line too long (see RFC5321 4.5.3.1.6)                                     -> permanent_message
554 rcpt               5.4.14 Hop count exceeded - possible mail loop                            -> permanent_message
554 data               too many hops                                                             -> permanent_message
554 data               Transaction failed                                                        -> permanent_message
# We ourselves: login, encryption, sender, network, signature, reputation
535 auth               5.7.8 Authentication credentials invalid                                  -> our_fault_stop
535 auth               5.7.8 Too many failed logins                                              -> our_fault_stop
530 mail               5.7.0 Must issue a STARTTLS command first                                 -> our_fault_stop
538 auth               5.7.11 Encryption required                                                -> our_fault_stop
534 auth               5.7.9 Authentication mechanism is too weak                                -> our_fault_stop
554 connect            No SMTP service here                                                      -> our_fault_stop
550 helo               Access denied - invalid HELO name                                         -> our_fault_stop
502 starttls           Command not implemented                                                   -> our_fault_stop
550 mail               5.1.8 Sender address rejected: Domain not found                           -> our_fault_stop
553 mail               5.1.7 Bad sender address syntax                                           -> our_fault_stop
550 mail               mailbox unavailable                                                       -> our_fault_stop
550 rcpt               5.1.8 <noreply@zorg.example>: Sender address rejected                     -> our_fault_stop
553 rcpt               5.7.1 <noreply@zorg.example>: Sender address rejected: not owned by user zorg -> our_fault_stop
550 mail               5.7.60 Client does not have permissions to send as this sender            -> our_fault_stop
554 mail               5.7.1 blocked using zen.spamhaus.org                                      -> our_fault_stop
550 mail               5.7.1 Authentication required                                             -> our_fault_stop
451 mail               4.1.8 Sender address rejected: Domain not found                           -> retry
454 data               4.7.0 Sending paused for this account                                     -> retry
554 data               Sending paused for this account.                                          -> our_fault_stop
550 rcpt               5.7.1 Relaying denied                                                     -> our_fault_stop
554 rcpt               <jan@example.org>: Relay access denied                                    -> our_fault_stop
554 rcpt               5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org -> our_fault_stop
550 rcpt               mailbox unavailable: listed at Spamhaus                                   -> our_fault_stop
550 data               5.7.26 Unauthenticated email from zorg.example is not accepted: DMARC policy -> our_fault_stop
550 data               5.7.515 Access denied, sending domain does not meet the required level    -> our_fault_stop
550 data               5.7.23 SPF validation failed                                              -> our_fault_stop
550 data               DKIM signature missing                                                    -> our_fault_stop
554 data               5.7.1 Message rejected as spam                                            -> our_fault_stop
554 data               Message rejected: Email address is not verified.                          -> our_fault_stop
550 data               message rejected by policy                                                -> our_fault_stop
# The server does not understand us
503 rcpt               5.5.1 Error: nested MAIL command                                          -> our_fault_stop
500 rcpt               Syntax error, command unrecognized                                        -> our_fault_stop
501 rcpt               Syntax error in parameters or arguments                                   -> our_fault_stop
502 data               Command not implemented                                                   -> our_fault_stop
555 mail               MAIL FROM parameters not recognized or not implemented                    -> our_fault_stop
550 data               5.3.5 System incorrectly configured                                       -> our_fault_stop
"""


def rows() -> list[tuple[int, str, str, str]]:
    lines = [line for line in ANSWERS.strip().splitlines() if not line.startswith("#")]
    parts = [(line.split(maxsplit=2), line.rpartition(" -> ")) for line in lines]
    return [(int(words[0]), words[1], head[23:].strip(), answer) for words, (head, _, answer) in parts]


@pytest.mark.parametrize(("code", "phase", "text", "answer"), rows())
def test_an_smtp_answer_means(code: int, phase: str, text: str, answer: str) -> None:
    assert smtp(code, None, text, phase) == answer


def test_each_smtp_row_is_used_by_an_answer_above() -> None:
    used = {smtp_rule(code, None, text, phase) for code, phase, text, _ in rows()}

    assert [rule.because for rule in SMTP if rule not in used] == [
        "more recipients than it takes now (RFC 3463 X.5.3); we name one",  # its texts say "too many" as a rule
    ]


def test_the_enhanced_code_may_be_given_apart_from_the_text() -> None:
    assert smtp(550, "5.2.1", "", "rcpt") == "permanent_address"
    assert smtp(550, "5.7.1", "User unknown", "rcpt") == "our_fault_stop"
    assert smtp(550, "5.5.3", "", "rcpt") == "retry"
    assert smtp(550, "nonsense", "5.2.2 full", "rcpt") == "retry"


def test_the_enhanced_code_is_read_from_the_text() -> None:
    assert enhanced_code("5.1.1 User unknown") == "5.1.1"
    assert enhanced_code("550-5.1.1 User\n550 5.1.1 unknown") == "5.1.1"
    assert enhanced_code("Message rejected (#5.7.1)") == "5.7.1"
    assert enhanced_code("5.1.1.7 is an address of the internet") is None
    assert enhanced_code("") is None


def test_words_are_found_across_lines_and_case() -> None:
    assert smtp(550, None, "Requested action NOT taken: MAILBOX\nunavailable", "rcpt") == "permanent_address"
    assert smtp(550, None, "5.1.1 Sent to too\n5.1.1 many recipients", "rcpt") == "retry"


def test_words_in_an_address_do_not_count() -> None:
    assert smtp(550, None, "5.1.1 <too.many.spam@spamhaus.example>: User unknown", "rcpt") == "permanent_address"
    assert smtp(550, None, "5.1.1 ratelimit@example.org User unknown", "rcpt") == "permanent_address"


def test_an_answer_without_a_known_phase_is_one_about_the_address() -> None:
    assert smtp(550, None, "", "") == smtp(550, None, "", "RCPT") == "permanent_address"
    assert smtp(550, None, "", "MAIL") == "our_fault_stop"


def errors(*codes: int, parameter: str | None = None) -> dict[str, Any]:
    return {"errors": [{"code": code, "description": "…", "parameter": parameter} for code in codes]}


TAKEN = {"id": "6fe65f90454aa61536e6a88b88972670", "recipients": {"totalCount": 1, "items": []}}


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        # taken
        (201, TAKEN, "sent"),
        (200, TAKEN, "sent"),
        (201, json.dumps(TAKEN), "sent"),
        (201, {"id": "6fe6"}, "sent"),
        # a success that nobody can read may be one
        (201, "", "unknown"),
        (201, None, "unknown"),
        (201, "null", "unknown"),
        (200, "<html>welcome to the hotspot</html>", "unknown"),
        (201, {"recipients": {}}, "unknown"),
        (201, {"id": ""}, "unknown"),
        (201, {"id": None}, "unknown"),
        (201, [], "unknown"),
        (204, None, "unknown"),
        (200, errors(4711), "unknown"),
        # no answer
        (None, None, "unknown"),
        (None, {"error": "timeout"}, "unknown"),
        (None, {"error": "connect"}, "retry"),
        # this message
        (422, errors(9, parameter="recipient"), "permanent"),
        (422, errors(10), "permanent"),
        (422, errors(21), "permanent"),
        (400, errors(21), "permanent"),
        (422, errors(4711), "permanent"),
        (422, "", "permanent"),
        (400, None, "permanent"),
        (413, "", "permanent"),
        # later
        (429, {}, "retry"),
        (408, None, "retry"),
        (500, errors(99), "retry"),
        (500, "<html>oops</html>", "retry"),
        (502, "", "retry"),
        (503, None, "retry"),
        (504, None, "retry"),
        # our account or configuration
        (401, errors(2), "account_stop"),
        (401, "<html>login</html>", "account_stop"),
        (402, None, "account_stop"),
        (403, None, "account_stop"),
        (422, errors(25), "account_stop"),
        (404, errors(20), "account_stop"),
        (404, errors(98), "account_stop"),
        (404, "<html>not found</html>", "account_stop"),
        (405, "", "account_stop"),
        (410, "", "account_stop"),
        (302, "", "account_stop"),
        (301, None, "account_stop"),
        # account-wide codes win over the status and over other codes
        (200, errors(25), "account_stop"),
        (422, errors(9, 2), "account_stop"),
        (500, errors(25), "account_stop"),
        (429, errors(2), "account_stop"),
        (422, errors(99, 10), "permanent"),
        (422, {"errors": [{"code": "25"}]}, "account_stop"),
        # nonsense
        (422, {"errors": "no"}, "permanent"),
        (422, {"errors": [None, {"code": None}]}, "permanent"),
        (7, None, "unknown"),
    ],
)
def test_an_answer_of_messagebird_means(status: int | None, body: Any, answer: str) -> None:
    assert messagebird(status, body) == answer


def test_the_recipient_is_blamed_only_where_the_errors_name_it() -> None:
    assert messagebird_blames_recipient(errors(9, parameter="recipient"))
    assert messagebird_blames_recipient({"errors": [{"code": 9, "description": "no (correct) recipients found"}]})
    assert not messagebird_blames_recipient(errors(10, parameter="originator"))
    assert not messagebird_blames_recipient("<html>")


def test_the_codes_are_read_in_their_order() -> None:
    assert messagebird_codes(json.dumps(errors(9, 25))) == (9, 25)
    assert messagebird_codes({"errors": [{"code": "x"}]}) == ()


@pytest.mark.parametrize(
    ("code", "phase", "text", "whose"),
    [
        (550, "mail", "5.1.8 Sender address rejected: Domain not found", "organisation"),
        (553, "mail", "5.1.7 Bad sender address syntax", "organisation"),
        (553, "rcpt", "5.7.1 <a@zorg.example>: Sender address rejected: not owned by user zorg", "organisation"),
        (550, "mail", "5.7.60 SMTP; Client does not have permissions to send as this sender", "organisation"),
        (554, "data", "Message rejected: Email address is not verified.", "organisation"),
        (535, "auth", "5.7.8 Authentication credentials invalid", "account"),
        (530, "mail", "5.7.0 Authentication required", "account"),
        (550, "mail", "5.7.1 Authentication required", "account"),
        (554, "mail", "5.7.1 Client host [192.0.2.1] blocked using zen.spamhaus.org", "account"),
        (555, "mail", "MAIL FROM parameters not recognized or not implemented", "account"),
        (550, "rcpt", "5.7.1 Relaying denied", "account"),
        (554, "data", "Sending paused for this account.", "account"),
    ],
)
def test_a_refusal_of_our_sender_is_one_organisations(code: int, phase: str, text: str, whose: str) -> None:
    assert smtp(code, None, text, phase) == "our_fault_stop"
    assert smtp_rule(code, None, text, phase).whose == whose


@pytest.mark.parametrize(
    ("statuses", "answer"),
    [
        (["sent"], "sent"),
        (["delivery_failed"], "permanent"),
        (["expired"], "permanent"),
        (["delivery_failed", "sent"], "sent"),
        ([], "sent"),
    ],
)
def test_a_success_whose_recipients_have_failed_is_none(statuses: list[str], answer: str) -> None:
    body = {"id": "m1", "recipients": {"items": [{"status": status} for status in statuses]}}
    assert messagebird(201, body) == answer
