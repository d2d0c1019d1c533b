import pytest

from tests.end_to_end import programme as small


@pytest.fixture(scope="session")
def programme(tmp_path_factory) -> small.Programme:
    return small.run(tmp_path_factory.mktemp("programme"))
