from __future__ import annotations

import pytest

from clauselens.errors import InputError
from clauselens.training.arguments import training_arguments
from clauselens.training.config import read_train_config
from clauselens.training.encoders import resolve_encoder


@pytest.mark.parametrize("name", ["minilm", "smoke"])
def test_shipped_configurations_are_valid(root, name, tmp_path):
    config = read_train_config(root / f"configs/{name}.yaml")
    arguments = training_arguments(config, tmp_path)
    assert arguments.num_train_epochs == config.trainer["num_train_epochs"]
    assert resolve_encoder(config.encoder).sha256 == config.encoder.sha256


@pytest.mark.parametrize("name", ["opp115", "own"])
def test_other_labels_start_from_the_folder_of_a_shipped_configuration(root, name, tmp_path):
    config = read_train_config(root / f"configs/{name}.yaml")
    training_arguments(config, tmp_path)
    recipe = root / config.encoder.recipe
    assert read_train_config(recipe).taxonomy != config.taxonomy
    assert config.encoder.name == f"models/{recipe.stem}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sed=1", "unknown key 'sed' .did you mean 'seed'"),
        ("loss.nam=bce", "unknown key 'loss.nam' .did you mean 'name'"),
        ("loss.name=hinge", "loss.name is 'hinge' .known: bce, asymmetric"),
        ("encoder.attention=fast", "encoder.attention is 'fast' .known: eager, sdpa, flash"),
        ("seed=one", "'seed' is 'one', expected int"),
        ("encoder.dropout=2", "encoder.dropout is 2.0, expected a share"),
        ("input.stride=250", "input.stride is 250"),
        ("trainer.seed=3", "'trainer.seed' is set by clauselens"),
        ("loss.adversarial=.nan", "'loss.adversarial' is nan, expected a finite number"),
        ("replay=inf", "'replay' is 'inf', expected a finite number"),
        ("seed", "expected key=value"),
        ("seed=-1", "seed is -1, expected 0 to 4294967295"),
        ("threshold_folds=1", "threshold_folds is 1, expected 0 for none, or 2 or more"),
        ("validation_fraction=1", "validation_fraction is 1.0, expected a share between 0 and 1"),
        ("early_stopping_patience=-1", "early_stopping_patience is -1, expected 0 or more"),
        ("loss.margin=-0.1", "loss.margin is -0.1, expected 0 or more"),
    ],
)
def test_a_wrong_key_or_value_is_named(root, override, message):
    with pytest.raises(InputError, match=message):
        read_train_config(root / "configs/smoke.yaml", [override])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "trainer.learning_rat=1",
            "unknown key 'trainer.learning_rat' .did you mean 'learning_rate'",
        ),
        ("trainer.lr_scheduler_type=nope", "trainer: .*nope"),
        ("trainer.learning_rate=high", "'trainer.learning_rate' is 'high', expected a number"),
        ("trainer.learning_rate=-1", "trainer: .*learning rate: -1"),
        ("trainer.report_to=nope", "trainer: nope is not supported"),
        ("trainer.report_to=wandb", "trainer: WandbCallback requires wandb to be installed"),
        ("trainer.adam_beta2=2", "trainer: .*beta"),
        ("trainer.num_train_epochs=0", "'trainer.num_train_epochs' is 0, expected more than 0"),
        ("trainer.per_device_train_batch_size=1.5", "batch_size' is 1.5, expected int"),
        ("trainer.per_device_train_batch_size=0", "batch_size' is 0, expected more than 0"),
        ("trainer.weight_decay=.inf", "'trainer.weight_decay' is inf, expected a finite number"),
    ],
)
def test_a_wrong_trainer_key_or_value_is_named(root, tmp_path, override, message):
    config = read_train_config(root / "configs/smoke.yaml", [override])
    with pytest.raises(InputError, match=message):
        training_arguments(config, tmp_path)


def test_overrides_replace_single_keys(root):
    config = read_train_config(
        root / "configs/smoke.yaml", ["seed=7", "trainer.num_train_epochs=1", "input.context=false"]
    )
    minilm = root / "configs/minilm.yaml"
    alone = read_train_config(minilm, ["written=", "pretraining="])
    assert (alone.written, alone.pretraining) == ("", {})
    with pytest.raises(InputError, match=r"pretraining is on the written rows.*\(pretraining=\)"):
        read_train_config(minilm, ["written="])
    softened = "relabelling={num_train_epochs: 2}"
    with pytest.raises(InputError, match=r"one stage.*no 'pretraining'"):
        read_train_config(minilm, [softened])
    with pytest.raises(InputError, match=r"needs 'written'.*\(relabelling=\)"):
        read_train_config(root / "configs/opp115.yaml", ["written="])
    with pytest.raises(InputError, match="'relabelling.seed' is set by clauselens"):
        read_train_config(minilm, ["pretraining=", softened, "relabelling.seed=1"])
    assert (config.seed, config.trainer["num_train_epochs"], config.input.context) == (7, 1, False)


def test_an_encoder_with_other_weights_or_nowhere_is_refused(root):
    path = root / "configs/smoke.yaml"
    with pytest.raises(InputError, match="sha256 is 53aa5117.*the configuration names beef"):
        resolve_encoder(read_train_config(path, ["encoder.sha256=beef"]).encoder)
    with pytest.raises(InputError, match="encoder 'nobody/nothing': no such folder"):
        resolve_encoder(read_train_config(path, ["encoder.name=nobody/nothing"]).encoder)


def test_a_local_folder_comes_before_the_embedded_package(root, tmp_path):
    embedded = resolve_encoder(read_train_config(root / "configs/smoke.yaml").encoder)
    (tmp_path / "enc").symlink_to(embedded.folder)
    local = resolve_encoder(
        read_train_config(root / "configs/smoke.yaml", [f"encoder.name={tmp_path / 'enc'}"]).encoder
    )
    assert (local.source, local.sha256) == ("folder", embedded.sha256)
