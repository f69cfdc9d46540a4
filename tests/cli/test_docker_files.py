"""Files that the Dockerfiles copy into Falco's image: the configuration names an existing plugin and rules."""

from pathlib import Path

from lanner.yamlfile import placed_values

ROOT = Path(__file__).parents[2]


def test_the_configuration_of_the_falco_image(lanner):
    done = lanner("run", "-c", ROOT / "docker/falco.d/docker.yaml", "-r", ROOT / "src/lanner/docker/docker_rules.yaml", "--dry-run")
    assert (done.code, done.out) == (0, b""), done.err


def test_the_image_has_the_files_that_the_configuration_names():
    config = placed_values.load((ROOT / "docker/falco.d/docker.yaml").read_text(), "f.yaml")[0]
    copied = [line.split() for line in (ROOT / "docker/falco.Dockerfile").read_text().splitlines() if line.startswith("COPY")]
    targets = {words[-1] for words in copied}
    assert {config["plugins"][0]["library_path"], *config["rules_files"]} <= targets
    sources = {words[-2].removeprefix("/source/") for words in copied if words[-1].endswith(".yaml")}
    assert all((ROOT / source).is_file() for source in sources)
