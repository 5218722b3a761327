import groundswell as gs


def test_a_sound_project_is_well(project: gs.Project) -> None:
    for deep in (False, True):
        diagnosis = project.doctor(deep=deep)
        assert diagnosis.ok, diagnosis
        assert diagnosis.findings == ()
        assert diagnosis.checked == {
            "catalog": 1,
            "feature groups": 5,
            "folders": 4,
            "feature views": 1,
            "training data": 2,
            "runs": 1,
            "model versions": 1,
            "models": 1,
        }
