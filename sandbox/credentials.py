"""What a client of the sandbox signs in with. None of it is worth anything elsewhere."""

CREDENTIALS: dict[str, dict[str, str]] = {
    "payt": {
        "token": "sandbox-payt-static-token",
        "client_id": "sandbox-payt-client",
        "client_secret": "sandbox-payt-client-secret",
        "refresh_token": "sandbox-payt-refresh-0",
    },
    "totality": {
        "token": "sandbox-totality-static-token",
        "client_id": "sandbox-totality-client",
        "client_secret": "sandbox-totality-client-secret",
    },
    "payiq": {
        "api_key": "5a4d3c2b-1a09-4f8e-9d7c-6b5a4c3d2e1f",
        "signing_secret": "sandbox-payiq-signing-secret",
        "role": "APICustomer",
    },
}
