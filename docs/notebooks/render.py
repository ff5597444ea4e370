"""A hook of MkDocs: notebooks of this folder, with the outputs that they hold, become pages of the site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """A page of Markdown for each notebook, which stays beside it to be downloaded."""
    for file in list(files):
        if file.src_uri.endswith(".ipynb"):
            notebook = json.loads(Path(str(file.abs_src_path)).read_text(encoding="utf-8"))
            name = file.src_uri.removesuffix(".ipynb") + ".md"
            files.append(File.generated(config, name, content=page(notebook, file.name + ".ipynb")))
    return files


def page(notebook: dict[str, Any], name: str) -> str:
    """Markdown of a notebook: text as it is, code in a block, and below it what it printed and showed."""
    parts = [f"[Download this page as a notebook]({name})"]
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        parts += [shown for output in cell["outputs"] if (shown := _output(output))]
    title = next(index for index, part in enumerate(parts) if part.startswith("# "))
    parts[0], parts[title] = parts[title], parts[0]
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "text/html" in data:
        return f'<div class="notebook-output">{"".join(data["text/html"])}</div>'.replace("\n", " ")
    text = "".join(output.get("text") or data.get("text/plain") or ())
    return f"```text\n{text.rstrip()}\n```" if text else ""
