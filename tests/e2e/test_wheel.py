"""The built wheel, installed away from the source tree: everything is inside, and the command runs."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tieup.log.topics import BY_NAME

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "services" / "tieup"

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, with nothing in the environment that leads back to the sources."""
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without isolation, as the lock's build backend makes it."""
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(out)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def away(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; the dependencies are this one's, reached by path alone.

    A path file adds the folder of the dependencies but does not read the path files in it, so the editable install
    stays out of sight.
    """
    folder = tmp_path_factory.mktemp("away")
    run(sys.executable, "-m", "uv", "venv", "--quiet", "--no-cache", "--python", sys.executable, ".venv", cwd=folder)
    python = folder / ".venv" / "bin" / "python"
    install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-cache", "--offline", "--no-deps"]
    run(*install, "--python", python, wheel, cwd=folder)
    (packages,) = (folder / ".venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


def code(away: Path, program: str) -> list[str]:
    return run(away / ".venv" / "bin" / "python", "-I", "-c", program, cwd=away).splitlines()


def files_below(folder: Path) -> set[str]:
    paths = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in paths}


def test_the_wheel_holds_the_package_its_data_and_the_schemas(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {f"tieup/{name}" for name in files_below(PACKAGE)}
    wanted |= {f"tieup/schemas/{name}" for name in files_below(ROOT / "schemas")}
    assert inside == wanted
    assert {f"tieup/schemas/{topic}.json" for topic in BY_NAME} <= inside
    assert "tieup/py.typed" in inside


def test_the_package_is_the_installed_one(away: Path) -> None:
    (where,) = code(away, "import tieup; print(tieup.__file__)")
    assert Path(where).is_relative_to(away)


def test_the_validator_reads_the_schemas_of_the_wheel(away: Path) -> None:
    program = (
        "from tieup.events.validate import SchemaValidator, schema_folder\n"
        "validator = SchemaValidator()\n"
        "example = schema_folder() / 'examples' / 'tieup.events.v1' / 'ford-xiaomi-denied.json'\n"
        "validator.check('tieup.events.v1', example.read_bytes())\n"
        "print(schema_folder())"
    )
    (where,) = code(away, program)
    assert Path(where).is_relative_to(away)


def test_the_data_files_load(away: Path) -> None:
    program = (
        "from tieup.demo.sample import load_sample\n"
        "from tieup.companies.gazetteer import load_gazetteer\n"
        "from tieup.claims.extract import Extractor\n"
        "from tieup.articles.urls import load_tracking\n"
        "print(len(load_sample().feeds))\n"
        "gazetteer = load_gazetteer()\n"
        "print(gazetteer.get('ford').name)\n"
        "Extractor(gazetteer)\n"
        "load_tracking()\n"
    )
    assert code(away, program) == ["8", "Ford"]


@pytest.mark.parametrize("arguments", [["--help"], ["demo", "--help"], ["run", "--help"]], ids=" ".join)
def test_the_command_runs(away: Path, arguments: list[str]) -> None:
    assert "Usage" in run(away / ".venv" / "bin" / "tieup", *arguments, cwd=away)
