"""The JSON schema of params.yaml, with which editors complete and check it. `make schema` writes it."""

from __future__ import annotations

import json
from pathlib import Path

from moodring.params.pipeline import Params

PATH = Path("params.schema.json")


def schema_text() -> str:
    """The schema as indented JSON (JSON Schema 2020-12). Equal types give equal bytes."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Params.model_json_schema(),
    }
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(schema_text(), encoding="utf-8")
    print(f"wrote {PATH}")
