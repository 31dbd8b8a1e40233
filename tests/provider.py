"""An OpenID Connect provider on localhost: real keys, real tokens, and faults on request."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from connectors.testing.wire import HttpAnswer, HttpRequest, LocalServer, json_answer

CLIENT, SECRET = "inbox", "a-secret-of-the-inbox"
KEY = RSAKey.generate_key(2048, {"kid": "one"})
STRANGE_KEY = RSAKey.generate_key(2048, {"kid": "one"})


@dataclass
class Provider:
    """Vouches for whoever is at the keyboard.

    Attributes:
        claims: What it says of them.
        wrong: Claims of the ID token that are put over the right ones.
        key: What it signs with.
        fault: What the token endpoint answers instead, if anything.
        asked: The parameters of every authorisation that was asked for.
    """

    claims: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    fault: HttpAnswer | None = None
    asked: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self):
        self._server = LocalServer(self._respond)
        self._codes: dict[str, dict[str, str]] = {}

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def settings(self) -> dict[str, Any]:
        return {
            "oidc_issuer": self.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "secret": "a-key-for-tests-alone-of-some-length",
        }

    def __enter__(self):
        self._server.__enter__()
        return self

    def __exit__(self, *failure):
        self._server.__exit__(*failure)

    def sent_back(self, address: str) -> str:
        """Sign in at the address the inbox led to; return where the provider leads back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def _respond(self, request: HttpRequest) -> HttpAnswer:
        if request.path == "/.well-known/openid-configuration":
            return json_answer(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "id_token_signing_alg_values_supported": ["RS256"],
                    "code_challenge_methods_supported": ["S256"],
                }
            )
        if request.path == "/keys":
            return json_answer({"keys": [KEY.as_dict(private=False)]})
        if self.fault is not None:
            return self.fault
        return self._token(request)

    def _token(self, request: HttpRequest) -> HttpAnswer:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or request.headers.get("authorization") != f"Basic {basic}":
            return json_answer({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenge != asked["code_challenge"]:
            return json_answer({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "sub": "17", "iat": now, "exp": now + 300}
        said |= {"nonce": asked["nonce"]} | self.claims | self.wrong
        token = jwt.encode({"alg": "RS256", "kid": "one"}, said, self.key)
        return json_answer({"access_token": "opaque", "token_type": "Bearer", "id_token": token})
