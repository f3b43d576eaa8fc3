"""Settings, read once from the environment (``GRIDMAP_...`` and ``DATABASE_URL``); docs/operations.md names each."""

from __future__ import annotations

import os
import re
import secrets
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from gridmap import ROOT
from gridmap.errors import Unavailable


class Settings(BaseSettings):
    """What an operator may set. Sizes in bytes, times as the name says."""

    model_config = SettingsConfigDict(env_prefix="GRIDMAP_", env_ignore_empty=True, frozen=True)

    database_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("DATABASE_URL", "GRIDMAP_DATABASE_URL"),
        description="A PostGIS server to use instead of the private cluster",
    )
    data_dir: Path = Field(default=ROOT / "var", description="Cluster, uploads, exports, backups, secret key")
    host: str = Field(default="127.0.0.1", description="Address the server listens on")
    port: int = Field(default=8000, description="Port the server listens on")
    workers: int = Field(default=2, description="Web processes")
    threads: int = Field(default=8, description="Threads in a web process")
    public_url: str | None = Field(default=None, description="Address users see (behind a reverse proxy)")
    behind_proxy: bool = Field(default=False, description="Trust X-Forwarded-* of one reverse proxy")
    secure_cookies: bool = Field(default=False, description="Cookies over HTTPS only")
    session_minutes: int = Field(default=60, description="Idle minutes until a session ends")
    lockout_attempts: int = Field(default=5, description="Failed log-ins until an account is locked")
    lockout_minutes: int = Field(default=15, description="Minutes an account stays locked")
    max_upload_bytes: int = Field(default=2 << 30, description="Largest upload accepted")
    default_locale: str = Field(default="zh", description="Language of a visitor who has not chosen: zh or en")
    time_zone: str = Field(default="Asia/Shanghai", description="Zone of naive times in files, and of what is shown")
    tile_url: str | None = Field(default=None, description="Base map tiles ({z}/{x}/{y}); off unless set")
    tile_attribution: str = Field(default="", description="Attribution shown with the base map tiles")
    sensitive_categories: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Categories of cases that are shown as counts by grid only, to case officers"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Origins whose pages may read the API with a token (notebooks); none unless set"
    )
    log_level: str = Field(default="INFO", description="Log level")

    @field_validator("sensitive_categories", "cors_origins", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Names separated by commas, as they stand in the environment."""
        return (
            tuple(name.strip() for name in re.split("[,，、;]", value) if name.strip())
            if isinstance(value, str)
            else value
        )

    @property
    def uploads_dir(self) -> Path:
        return self.data_dir / "uploads"

    @property
    def exports_dir(self) -> Path:
        return self.data_dir / "exports"

    @property
    def reports_dir(self) -> Path:
        return self.data_dir / "reports"

    @property
    def backups_dir(self) -> Path:
        return self.data_dir / "backups"

    def secret_key(self) -> str:
        """The key that signs sessions: made once, kept in the data folder, readable by its owner only."""
        path = self.data_dir / "secret_key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text("ascii")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        return path.read_text("ascii")


@cache
def settings() -> Settings:
    """The settings of this process. ``Unavailable`` (SETTING_INVALID) names the first variable that makes no sense."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        variable = name if name.isupper() else f"GRIDMAP_{name.upper()}"
        raise Unavailable("SETTING_INVALID", name=variable, reason=first["msg"]) from error
