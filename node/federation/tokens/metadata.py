"""What this node says of its OAuth endpoints: as authorization server (RFC 8414) and as resource (RFC 9728).

Pure: from the base URL to JSON values. The entity statement carries the same members, so they are written once, here,
and both sides of an exchange take their paths and names from here too.
"""

from node.federation.moving import TRANSFER_ACCESS
from node.keys.jwk import ALGORITHMS

TOKEN_PATH = "/oauth/token"  # noqa: S105 (a path)
INTROSPECT_PATH = "/oauth/introspect"
REVOKE_PATH = "/oauth/revoke"
KEYS_PATH = "/.well-known/jwks.json"
SERVER_PATH = "/.well-known/oauth-authorization-server"
RESOURCE_PATH = "/.well-known/oauth-protected-resource"

GRANT_TYPE = "client_credentials"
AUTH_METHOD = "private_key_jwt"
SCOPE_FEDERATION = "federation"
DETAILS_TYPE = "agreement-access"


def server_metadata(base_url: str) -> dict[str, object]:
    """Give the authorization server's metadata. There is no authorization endpoint: nobody logs in by redirect."""
    methods: dict[str, object] = {}
    for endpoint in ("token", "introspection", "revocation"):
        methods[f"{endpoint}_endpoint_auth_methods_supported"] = [AUTH_METHOD]
        methods[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] = list(ALGORITHMS)
    return {
        "issuer": base_url,
        "token_endpoint": base_url + TOKEN_PATH,
        "introspection_endpoint": base_url + INTROSPECT_PATH,
        "revocation_endpoint": base_url + REVOKE_PATH,
        "jwks_uri": base_url + KEYS_PATH,
        "grant_types_supported": [GRANT_TYPE],
        "response_types_supported": [],
        "scopes_supported": [SCOPE_FEDERATION],
        **methods,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_details_types_supported": [DETAILS_TYPE, TRANSFER_ACCESS],
        "protected_resources": [base_url],
        "service_documentation": f"{base_url}/docs",
    }


def resource_metadata(base_url: str) -> dict[str, object]:
    """Give the protected resource's metadata: this node issues the tokens for itself alone."""
    return {
        "resource": base_url,
        "authorization_servers": [base_url],
        "jwks_uri": base_url + KEYS_PATH,
        "scopes_supported": [SCOPE_FEDERATION],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "authorization_details_types_supported": [DETAILS_TYPE, TRANSFER_ACCESS],
        "resource_documentation": f"{base_url}/docs",
    }
