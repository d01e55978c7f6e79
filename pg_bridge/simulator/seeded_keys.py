"""Private keys that follow from a seed: of a pretend world only, where the same seed must give the same signatures.

Never for keys that guard anything: who knows the seed has the key.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_EXPONENT = 65537
_PRIME_BITS = 1024
#: a number of this size that is no prime passes one round of the test with a chance far below 1 in 10^20
_ROUNDS = 2
_SMALL = [number for number in range(3, 2000, 2) if all(number % by for by in range(3, int(number**0.5) + 1, 2))]


@lru_cache(maxsize=32)
def seeded_key_pem(seed: str, algorithm: str) -> str:
    """The PEM of the private key that follows from `seed`, for RS256, PS256 (2048 bits) or ES256 (P-256)."""
    chance = Random(f"{seed} {algorithm}")  # noqa: S311 - it must repeat
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    if algorithm == "ES256":
        private = ec.derive_private_key(chance.getrandbits(255) + 1, ec.SECP256R1())
    else:
        private = _rsa_key(_prime(chance), _prime(chance))
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")


def _rsa_key(first: int, second: int) -> rsa.RSAPrivateKey:
    p, q = max(first, second), min(first, second)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return numbers.private_key()


def _prime(chance: Random) -> int:
    """A prime of `_PRIME_BITS` bits, the two highest set, so that a product of two has twice as many."""
    while True:
        number = chance.getrandbits(_PRIME_BITS) | 3 << (_PRIME_BITS - 2) | 1
        if number % _EXPONENT != 1 and all(number % small for small in _SMALL) and _is_prime(number, chance):
            return number


def _is_prime(number: int, chance: Random) -> bool:
    """By the test of Miller and Rabin."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(_ROUNDS):
        power = pow(chance.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True
