from datetime import UTC, datetime

import pandas as pd
import pytest


def test_predicts_records_and_logs_them(service_of, groups, binary):
    service = service_of(binary)
    one, two = service.predict(
        [{"origin": "EWR", "distance": 1400.0}, {"origin": "LGA", "distance": 200}], at="2013-12-20T15:20Z"
    )
    expected = binary.estimator.predict_proba(pd.DataFrame({"distance": [1400.0], "wx_temp": [15.0]}))[0, 1]
    assert one.probability == pytest.approx(expected, rel=1e-12)
    assert one.prediction == (expected > 0.5)
    assert one.at == datetime(2013, 12, 20, 15, 20, tzinfo=UTC)
    logged = groups.get_feature_group("predictions_late_arrival_v1").rows()
    assert [row["prediction_id"] for row in logged] == [one.id, two.id]
    assert logged[0]["x_wx_temp"] == 15.0
    assert logged[0]["k_origin"] == "EWR"
    assert logged[0]["y_probability"] == one.probability
    assert logged[1]["sources"] == '{"weather": null}'
