"""The city's own staff, put together: accounts, sessions, second factors, the city's own sign-in, the audit trail.

No logic but what follows from the settings. Whoever set half of the city's own sign-in is told so at start, and not by
the first person who tries to come in.
"""

import secrets
from dataclasses import dataclass

from node.assembly.clock import clock_ms
from node.db import Database
from node.errors import ForbiddenAddress, Malformed, Misconfigured
from node.keys.sealing import Sealer
from node.outbound import Outbound
from node.settings import Settings
from node.staff.links import Links
from node.staff.office import Desk, StaffOffice
from node.staff.oidc import Provider, Wanted, roles_of
from node.staff.people import People
from node.staff.rights import ROLES
from node.staff.second import SecondFactors
from node.staff.sessions import Sessions
from node.staff.signing_in import Proofs, SigningIn
from node.staff.trail import Trail
from node.staff.tries import Tries


@dataclass(frozen=True, slots=True)
class Staff:
    """What is known of the staff; see `web.staff_ports`. `provider` is the city's own sign-in, if it has one."""

    people: People
    sessions: Sessions
    trail: Trail
    links: Links
    seconds: SecondFactors
    signing_in: SigningIn
    office: StaffOffice
    sealer: Sealer
    provider: Provider | None


def build(settings: Settings, *, db: Database, outbound: Outbound) -> Staff:
    """Put it together. Raises Misconfigured if a setting of the city's own sign-in does not fit the others."""
    sealer = Sealer(settings.data / "keys", settings.key_passphrase.get_secret_value())
    people, links = People(db, clock_ms), Links(db, clock_ms, _secret)
    sessions = Sessions(
        db,
        clock_ms,
        _secret,
        idle_ms=settings.desk_idle_min * 60_000,
        longest_ms=settings.desk_session_h * 3_600_000,
    )
    seconds = SecondFactors(db, sealer, clock_ms, city=settings.name)
    counted = ("password", "code", "again", "again code")
    proofs = Proofs(people, seconds, *(Tries(db, clock_ms, kind) for kind in counted))
    signing_in = SigningIn(proofs, sealer, clock_ms, demand=settings.second_factor)
    return Staff(
        people=people,
        sessions=sessions,
        trail=Trail(db, clock_ms),
        links=links,
        seconds=seconds,
        signing_in=signing_in,
        office=StaffOffice(Desk(people, sessions, links, seconds, signing_in), settings.base_url),
        sealer=sealer,
        provider=_provider(settings, outbound),
    )


def _provider(settings: Settings, outbound: Outbound) -> Provider | None:
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id or not settings.oidc_roles:
        raise Misconfigured("oidc_issuer needs oidc_client_id and oidc_roles.", fix="See docs/desk.md.")
    try:
        roles = roles_of(settings.oidc_roles, ROLES)
        outbound.check(settings.oidc_issuer)
    except (Malformed, ForbiddenAddress) as error:
        raise Misconfigured(error.message, fix=error.fix) from error
    wanted = Wanted(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret.get_secret_value(),
        back=f"{settings.base_url}/desk/sign-in/city/back",
        home=f"{settings.base_url}/desk/sign-in",
        roles=roles,
        groups_claim=settings.oidc_groups_claim,
    )
    return Provider(wanted, outbound.ask, clock_ms=clock_ms)


def _secret() -> str:
    return secrets.token_urlsafe(32)
