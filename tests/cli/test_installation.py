"""`quire models list` and `quire doctor`."""

import hashlib
import json
import pathlib
import shutil

TESSDATA = pathlib.Path("/usr/share/tesseract-ocr/5/tessdata")


def test_models_are_listed(run):
    models = {m["language"]: m for m in json.loads(run("models", "list", "--json").stdout)}
    english = models["eng"]
    data = (TESSDATA / "eng.traineddata").read_bytes()
    assert english["sha256"] == hashlib.sha256(data).hexdigest()
    assert english["n_bytes"] == len(data) and english["integer"] is True
    assert english["network"].startswith("[1,36,0,1") and english["error"] is None
    assert list(models) == sorted(models)
    text = run("models", "list")
    assert text.returncode == 0 and english["sha256"].encode() in text.stdout


def test_models_that_cannot_be_used_are_listed(run, tmp_path):
    (tmp_path / "script").mkdir()
    shutil.copy(TESSDATA / "eng.traineddata", tmp_path / "script/Latin.traineddata")
    (tmp_path / "bad.traineddata").write_bytes(b"\x01\x00\x00\x00")
    done = run("models", "list", "--json", env={"TESSDATA_PREFIX": str(tmp_path)})
    models = {m["language"]: m for m in json.loads(done.stdout)}
    assert list(models) == ["bad", "script/Latin"]
    assert models["bad"]["error"]["code"] == "model-corrupt" and models["bad"]["sha256"] is None


def test_no_models(run, tmp_path):
    done = run("models", "list", env={"TESSDATA_PREFIX": str(tmp_path)})
    assert done.returncode == 3 and b"apt-get install tesseract-ocr-eng" in done.stderr
    assert run("models").returncode == 1


def test_doctor_finds_all_well(run):
    done = run("doctor")
    assert done.returncode == 0 and done.stderr == b""
    lines = [line.split(None, 2) for line in done.stdout.decode().splitlines()]
    found = {line[1]: line[0] for line in lines}
    for part in ("quire", "processor", "cores", "memory", "helper", "seccomp", "reading"):
        assert found[part] in ("ok", "note"), done.stdout
    assert not [line for line in lines if line[0] == "MISSING"]


def test_doctor_names_what_is_missing_and_its_cure(run, tmp_path):
    done = run("doctor", env={"TESSDATA_PREFIX": str(tmp_path)})
    assert done.returncode == 3
    assert b"MISSING  model      eng; install it with: sudo apt-get install tesseract-ocr-eng" in \
        done.stdout
    done = run("doctor", env={"QUIRE_DECODE": str(tmp_path / "none")})
    assert done.returncode == 3 and b"MISSING  helper" in done.stdout
