"""Class what a mail server's answer means for the message. Read the table top down: the first row that fits decides.

Answers are classed by reply code (RFC 5321 section 4.2), enhanced status code (RFC 3463 and the IANA registry of RFC 5248), the
phase of the session, and text where servers put what matters into words only. The classes:

- `sent`: the server has taken responsibility for the message;
- `retry`: try this message again later; nothing was delivered, nobody is to blame for good;
- `permanent_address`: this address takes no mail; another message to it would fare the same;
- `permanent_message`: this message will not be taken; it says nothing against the address;
- `our_fault_stop`: our account, sender, network or configuration is refused; every message would fare the same.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

SmtpClass = Literal["sent", "retry", "permanent_address", "permanent_message", "our_fault_stop"]


PHASES = ("connect", "helo", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "quit")
"""Where in a session an answer was given: `data` is the answer to the whole message. What is none of these counts as `rcpt`."""


class AnswerRule(NamedTuple):
    """A row: the class, the reason, and whole-match patterns of what it fits; `text` is searched for. Empty fits everything.

    `whose` fault an `our_fault_stop` is: where it is the sender address of one organisation, others may go on.
    """

    answer: SmtpClass
    because: str
    code: str = ""
    enhanced: str = ""
    phase: str = ""
    text: str = ""
    whose: Literal["account", "organisation"] = "account"

    def fits(self, code: str, enhanced: str, phase: str, text: str) -> bool:
        """Tell whether the row is about this answer."""
        wholes = ((self.code, code), (self.enhanced, enhanced), (self.phase, phase))
        if not all(re.fullmatch(pattern, value) for pattern, value in wholes if pattern):
            return False
        return not self.text or re.search(self.text, text) is not None


_RATE = (
    r"too many (?!hops|received|headers|errors|complaints)|rate[ -]?limit|\brate\b.{0,30}(exceed|limit)|throttl|greylist|graylist"
    r"|exceed\w*\b.{0,80}\b(per|this|an|each|last|within)\b.{0,12}(second|minute|hour|day)\b|(daily|hourly)\b.{0,40}(quota|limit)"
    r"|(try|retry)( again| it)? later|receiving (e?mail|messages) (at a rate|too)|too (quickly|fast|frequent)"
)


_FULL = (
    r"(mailbox|inbox|mail folder|account|user|recipient)\b.{0,30}\b(full|over ?quota|out of storage|size)"
    r"|over ?quota|quota (is )?(exceed|full)|exceed\w*.{0,30}(quota|storage)|insufficient.{0,20}storage|disk full"
)


_OUR_QUOTA = r"\b(sender('s)?|sending|outbound|tenant)\b.{0,40}\b(quota|storage|threshold)|storage of (the )?sender"


_SIZE = r"message.{0,20}\b(size|too (big|large|long))|size.{0,20}exceed|exceed\w*.{0,30}size|too much mail data|too large"


_SENDER = (
    r"\bsender\b.{0,30}(reject|refus|denied|not allowed|blocked|invalid|unknown)|(is|been) not verified|verified sender"
    r"|send as (this|that|the) (sender|user)|sendasdenied|not allowed to send (as|from)|not owned by"
)


_HOST = (
    r"unauthenticated sender|sending (is )?paused|\b(your|client|source) (ip|host|server|network|mail server)\b|\bip address\b"
)


_LISTED = (
    r"block ?list|black ?list|\bdnsbl\b|\brbl\b|spamhaus|spamcop|barracuda|\bdkim\b|\bdmarc\b|\bspf\b|reputation"
    r"|client host.{0,40}blocked|relay(ing)?( access)?( is)? (denied|not permitted|not allowed|prohibited)"
    r"|unable to relay|not permitted to relay"
)


_WHO = r"(user|recipient|mailbox|account|address|addressee)"


_UNKNOWN_USER = (
    rf"{_WHO}\b.{{0,50}}\b(unknown|not found|not exist|n't exist|disabled|inactive|unavailable|invalid|reject\w*|not known"
    r"|suspended|deactivated|no longer)"
    rf"|(unknown|invalid|no such|bad|non-?existent|undeliverable) (local )?({_WHO}|person|domain)"
    r"|no (mailbox|account|user)\b.{0,20}\b(here|name)|n't have an? .{0,30}account|(does not|n't) (accept|receive) (e-?)?mail"
    r"|(domain|host) (not found|unknown|does not exist)|user (is )?not local|does not exist"
)


SMTP: tuple[AnswerRule, ...] = (
    # The answer to DATA decided before QUIT came; to send again for a rude goodbye would be to send twice (RFC 5321 4.1.1.10).
    AnswerRule("sent", "an answer to QUIT changes nothing about the message", phase="quit"),
    AnswerRule("sent", "the server took it", code=r"2\d\d"),
    AnswerRule("retry", "the server closes the channel, whatever it was asked (RFC 5321 3.8)", code="421"),
    # Before the digits: Exchange says 432 of connections and threads, which in RFC 4954 is a password.
    AnswerRule(
        "retry", "we have too much open at once, or are too fast", code=r"4\d\d", text=r"connection|thread|concurren|" + _RATE
    ),
    # 4.7.12: the server has the account but no secret for this mechanism; it will not get one by itself.
    AnswerRule("our_fault_stop", "the account's password must be set anew (RFC 4954 section 6)", code="432"),
    # A server that cannot reach its directory says 450 4.1.1 "user unknown": the reply code decides (RFC 5321 4.2.1).
    # So are greylisting and a temporary failure of authentication (454 4.7.0, RFC 4954) or of TLS (454, RFC 3207).
    AnswerRule("retry", "temporary, whatever the text says", code=r"4\d\d"),
    # -1 is how the client library reports a line that is no reply; a stray 3xx is a session out of step. Nothing was accepted.
    AnswerRule("retry", "no SMTP reply: the session is out of step", code=r"(?!5\d\d$).*"),
    # Before the rate row: a login that is refused too often is counted, and each try makes it worse.
    AnswerRule("our_fault_stop", "our credentials or encryption are refused (RFC 4954 section 6)", code="525|530|534|535|538"),
    # Providers put their own limits under any code: 550 5.1.1 "sent to too many recipients this hour", 550 5.4.5 "daily quota".
    AnswerRule("retry", "we send faster than the server allows", text=_RATE),
    # No address was named yet, so it is about us: a block of our network (554 greeting), HELO name, STARTTLS or login.
    AnswerRule("our_fault_stop", "refused before any address was named", phase="connect|helo|ehlo|starttls|auth"),
    # Reply and enhanced code contradict each other; the mild reading costs an attempt, the harsh one a good address.
    AnswerRule("retry", "its enhanced code says temporary (RFC 3463 section 2)", enhanced=r"4\..*"),
    AnswerRule("retry", "it calls itself temporary", text=r"temporar"),
    # What we may send or keep is used up, not what the recipient may.
    AnswerRule("our_fault_stop", "our own quota is used up", text=_OUR_QUOTA),
    # A full mailbox is emptied some day, so the address is good.
    AnswerRule("retry", "the mailbox is full (RFC 3463 X.2.2)", enhanced=r"5\.2\.2"),
    AnswerRule("retry", "the mailbox is full, in words", text=_FULL),
    # As an answer to MAIL as well: the SIZE parameter is checked there (RFC 1870).
    AnswerRule("permanent_message", "the message is too big (RFC 3463 X.2.3, X.3.4)", enhanced=r"5\.2\.3|5\.3\.4"),
    AnswerRule("permanent_message", "the message is too big, in words", text=_SIZE),
    AnswerRule(
        "permanent_message", "a line of the message is too long (RFC 5321 4.5.3.1.6)", text=r"line (is )?too long|line length"
    ),
    # 5.6.7: an address outside ASCII that the server cannot handle, now or later; then the rest of 5.6, which is about content.
    AnswerRule("permanent_address", "the server cannot handle this address (RFC 6531)", enhanced=r"5\.6\.7"),
    AnswerRule("permanent_message", "the content is refused (RFC 3463 X.6)", enhanced=r"5\.6\..*"),
    AnswerRule(
        "permanent_message", "the content is held to be harmful", text=r"\bvirus|infected|potential security issue|attachment"
    ),
    # RFC 5321 gives 552 to "exceeded storage allocation". With a 5.7 it is a policy: see below.
    AnswerRule("retry", "storage is exceeded (RFC 5321 4.2.3)", code="552", enhanced=r"(?!5\.7\.).*"),
    # The only thing that MAIL names is our own sender.
    AnswerRule("our_fault_stop", "our host is refused, in words", text=_HOST),
    AnswerRule("our_fault_stop", "we are listed, unsigned or may not relay, said of our sender", phase="mail", text=_LISTED),
    AnswerRule("our_fault_stop", "it wants us to log in", phase="mail", text="authentication"),
    AnswerRule("our_fault_stop", "it does not understand our commands (RFC 5321 4.2.2)", phase="mail", code="50[0234]|555"),
    AnswerRule("our_fault_stop", "our sender address is refused", phase="mail", whose="organisation"),
    AnswerRule(
        "our_fault_stop", "our sender address is refused (RFC 3463 X.1.7-8)", enhanced=r"5\.1\.[78]", whose="organisation"
    ),
    AnswerRule("our_fault_stop", "our sender address is refused, in words", text=_SENDER, whose="organisation"),
    # Before 5.1.x: blocklists and signatures are named under any code, and cost good addresses where they are not seen.
    AnswerRule("our_fault_stop", "we are listed, unsigned or may not relay, in words", text=_LISTED),
    AnswerRule("permanent_address", "no such mailbox, domain or address (RFC 3463 X.1, RFC 7505)", enhanced=r"5\.1\.([0-46]|10)"),
    AnswerRule("permanent_address", "the mailbox is disabled (RFC 3463 X.2.1)", enhanced=r"5\.2\.1"),
    # 5.4.1 "Access denied" is how Exchange Online says no such recipient; 5.4.310 that the domain is unknown.
    AnswerRule("permanent_address", "there is no way to this address (RFC 3463 X.4.4)", enhanced=r"5\.4\.(1|4|310)"),
    # A loop is a mistake in the recipient's forwarding: this message is lost, the address may be good tomorrow.
    AnswerRule("permanent_message", "the mail goes round in a loop (RFC 3463 X.4.6)", enhanced=r"5\.4\.(6|14)"),
    AnswerRule(
        "permanent_message", "the mail goes round in a loop, in words", text=r"too many (hops|received)|hop count|mail loop"
    ),
    AnswerRule("retry", "the server or its network is out of order (RFC 3463 X.3, X.4)", enhanced=r"5\.3\.[12]|5\.4\.[2357]"),
    AnswerRule("permanent_address", "the mailbox or domain has a new owner (RFC 7293)", enhanced=r"5\.7\.1[78]"),
    # The rest of 5.7 is about us, but these are the rule of one mailbox; it must not stop all others.
    AnswerRule(
        "permanent_address", "the mailbox takes mail of some senders only (Exchange)", enhanced=r"5\.7\.(124|129|133|134|136)"
    ),
    AnswerRule(
        "permanent_address", "a rule for this mailbox", phase="rcpt|data", text=r"recipient address rejected: access denied"
    ),
    # Authentication, DKIM, DMARC, SPF, encryption, spam: 5.7.1, 5.7.8, 5.7.10, 5.7.20 to 5.7.29, 5.7.515 …
    AnswerRule("our_fault_stop", "security or policy refuses us (RFC 3463 X.7, RFC 7372)", enhanced=r"5\.7\..*"),
    # After 5.7, before 5.5: outlook.com says "550 5.5.0 … mailbox unavailable" of an address that does not exist.
    AnswerRule("permanent_address", "no such mailbox, in words", code=r"55\d", text=_UNKNOWN_USER),
    # Of a RCPT command only the address differs from message to message, so one odd address must not stop all.
    AnswerRule(
        "permanent_address",
        "the address is malformed",
        code="501|553|555",
        phase="rcpt",
        text=r"address|recipient|mailbox|domain",
    ),
    AnswerRule("retry", "more recipients than it takes now (RFC 3463 X.5.3); we name one", enhanced=r"5\.5\.3"),
    AnswerRule("our_fault_stop", "it does not understand our commands (RFC 3463 X.5)", enhanced=r"5\.5\..*"),
    AnswerRule("our_fault_stop", "it does not understand our commands (RFC 5321 4.2.2)", code="50[0-4]|555"),
    AnswerRule("our_fault_stop", "it is not set up for this mail (RFC 3463 X.3.3, X.3.5)", enhanced=r"5\.3\.[35]"),
    AnswerRule(
        "our_fault_stop", "spam or policy, in words", text=r"\bspam|policy|\bblocked|banned|authenticat|authori[sz]ed|denied"
    ),
    # RFC 5321 gives 550, 551 and 553 to mailboxes, RFC 7504 521 and 556 to domains that take no mail.
    AnswerRule("permanent_address", "the reply code is about the mailbox", code="521|55[0136]", phase="rcpt"),
    AnswerRule("permanent_message", "refused for good, without a reason we know", code=r"5\d\d"),
)


_ENHANCED = re.compile(r"^\s*(?:\d{3}[ -])?\s*#?([245]\.\d{1,3}\.\d{1,3})(?![.\d])|\(?#([245]\.\d{1,3}\.\d{1,3})(?![.\d])")


_NOISE = re.compile(r"(?m)<[^<>\n]*>|\S+@\S+|^\s*(?:\d{3}[ -])?\s*#?[245]\.\d{1,3}\.\d{1,3}(?![.\d])|^\s*\d{3}(?:-|$)")


def enhanced_code(text: str) -> str | None:
    """Return the enhanced status code that a reply's text begins with (RFC 2034), or that stands in it after a `#`."""
    found = _ENHANCED.search(text)
    return (found[1] or found[2]) if found else None


def smtp_rule(code: int, enhanced: str | None, text: str, phase: str) -> AnswerRule:
    """Return the row that decides about an SMTP reply. Arguments as of `smtp`."""
    text = text[:2000]  # longer ones say no more, and cost time
    said = enhanced_code(enhanced or "") or enhanced_code(text) or ""
    # Addresses and the codes that are repeated on each line would hide or forge the words that rows look for.
    words = " ".join(_NOISE.sub(" ", text).lower().split())
    where = phase.lower() if phase.lower() in PHASES else "rcpt"
    return next(rule for rule in SMTP if rule.fits(str(code), said, where, words))


def smtp(code: int, enhanced: str | None, text: str, phase: str) -> SmtpClass:
    """Return the class of an SMTP reply.

    Args:
        code: the reply code; -1 for a line that is none.
        enhanced: the enhanced status code, such as `5.1.1`; None or empty: it is read from the text.
        text: the reply's text, lines joined by line feeds.
        phase: one of `PHASES`.
    """
    return smtp_rule(code, enhanced, text, phase).answer
