"""The training configuration: a YAML file with our few keys and a ``trainer:`` block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import yaml

from clauselens.errors import InputError
from clauselens.model.encoding import InputFormat
from clauselens.storage import read_yaml
from clauselens.taxonomy import nearest

RESERVED = ("output_dir", "seed", "data_seed", "remove_unused_columns", "label_names")
"""Trainer arguments that follow from our own keys."""
ATTENTION = ("eager", "sdpa", "flash_attention_2", "flex_attention")
"""Implementations of transformers; not every encoder has each."""
SEEDS = 2**32
"""Seeds are whole numbers from 0 to below this, as numpy has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderConfig:
    """Which encoder: a local folder, a hub id, or the embedded package of that id.

    ``sha256`` of its safetensors file is checked where it is given. ``dropout`` applies inside
    the encoder, ``head_dropout`` before the classifier; ``attention`` is the implementation.
    ``pooling`` is ``first`` (the first token's vector) or ``mean`` (a further layer that starts
    as the mean over the tokens); with ``definitions`` the classifier starts at the taxonomy's
    definitions. ``recipe`` is the configuration that makes the folder ``name``: the command
    ``train`` runs it first where the folder is missing.
    """

    name: str
    sha256: str = ""
    dropout: float = 0.0
    head_dropout: float = 0.1
    attention: str = "eager"
    pooling: str = "first"
    definitions: bool = False
    recipe: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputConfig:
    """The input format, and in training the share of rows whose context is left out; of the
    others, ``previous_dropout`` lose the sentence before alone.
    """

    max_length: int = 256
    stride: int = 64
    context: bool = True
    previous: bool = False
    context_dropout: float = 0.0
    previous_dropout: float = 0.0

    @property
    def format(self) -> InputFormat:
        return InputFormat(
            max_length=self.max_length,
            stride=self.stride,
            context=self.context,
            previous=self.previous,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """``bce``: binary cross-entropy with positive weights ``min(negatives / positives, cap)``;
    ``asymmetric``: Ridnik et al. 2021, with its focusing and margin. With ``adversarial``, the
    norm of a perturbation of the word embeddings, the last stage learns from perturbed inputs too
    (``training.trainer``), at twice the price.
    """

    name: str = "bce"
    max_positive_weight: float = 1.0
    gamma_negative: float = 4.0
    gamma_positive: float = 1.0
    margin: float = 0.05
    adversarial: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A whole run. Paths are relative to the working directory.

    ``written`` names a file of further training rows that are never scored. With ``pretraining``,
    trainer arguments in place of those of ``trainer``, they teach first and alone, and beside the
    annotated rows only ``replay`` of them for each of these (``training.stages``). With
    ``relabelling``, trainer arguments as well, a model fitted on the annotated rows alone has half
    a say in the targets of the written ones (``training.relabel``); in one stage only.
    ``validation_fraction`` of the training rows validate where the data have no such split;
    with ``threshold_folds``, thresholds and calibration come from so many folds of the training
    rows instead, at as many more fits. ``early_stopping_patience`` in epochs, 0 for none, applies
    to ``train`` alone.
    """

    data: str
    taxonomy: str
    encoder: EncoderConfig
    written: str = ""
    pretraining: Mapping[str, Any] = field(default_factory=dict)
    replay: float = 1.0
    relabelling: Mapping[str, Any] = field(default_factory=dict)
    input: InputConfig = field(default_factory=InputConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    seed: int = 0
    validation_fraction: float = 0.15
    threshold_folds: int = 0
    early_stopping_patience: int = 0
    trainer: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def read_train_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Read a YAML file and apply overrides of the form ``key=value`` (``loss.name=bce``).

    Raises InputError on an unknown key, naming the nearest valid one, or on a wrong value.
    """
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping")
    for override in overrides:
        _apply(data, override)
    config: TrainConfig = _build(TrainConfig, data, where=str(path), prefix="")
    _check(config, where=str(path))
    return config


def _apply(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise InputError(f"override {override!r}: expected key=value, such as seed=1")
    try:
        # "written=" clears a text; YAML would read it as null.
        value = yaml.safe_load(text) if text else ""
    except yaml.YAMLError:
        raise InputError(f"override {override!r}: the value is not valid YAML") from None
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise InputError(f"override {override!r}: {parent!r} has no keys of its own")
    data[last] = value


def _build(kind: type, data: Any, *, where: str, prefix: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where}: {prefix.rstrip('.') or 'the file'} should be a mapping")
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind)]
    values = {}
    for key, value in data.items():
        if key not in known:
            raise InputError(f"{where}: unknown key '{prefix}{key}'{nearest(str(key), known)}")
        hint = hints[key]
        if isinstance(hint, type) and is_dataclass(hint):
            values[key] = _build(hint, value, where=where, prefix=f"{prefix}{key}.")
        else:
            values[key] = typed(hint, value, place=f"{where}: '{prefix}{key}'")
    try:
        return kind(**values)
    except TypeError as error:
        # A key without a default is missing: dataclasses name it.
        raise InputError(f"{where}: {prefix}{str(error).split('missing ')[-1]}") from None


def typed(hint: Any, value: Any, *, place: str) -> Any:
    """``value`` as ``hint``: int, str, bool, a finite float, else a mapping. Raises InputError,
    naming ``place``.
    """
    if hint is float:
        try:
            # YAML 1.1 reads "3e-4" as a text.
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(f"{place} is {value!r}, expected a number") from None
        if not math.isfinite(number):
            raise InputError(f"{place} is {value!r}, expected a finite number")
        return number
    if hint in (int, str, bool):
        if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
            raise InputError(f"{place} is {value!r}, expected {hint.__name__}")
        return value
    if value == "":  # "pretraining=" clears it.
        return {}
    if not isinstance(value, dict):
        raise InputError(f"{place} is {value!r}, expected a mapping")
    return value


def _check(config: TrainConfig, *, where: str) -> None:
    for name, word, words in (
        ("loss.name", config.loss.name, ("bce", "asymmetric")),
        ("encoder.pooling", config.encoder.pooling, ("first", "mean")),
        ("encoder.attention", config.encoder.attention, ATTENTION),
    ):
        if word not in words:
            raise InputError(f"{where}: {name} is {word!r} (known: {', '.join(words)})")
    for name, value in (
        ("encoder.dropout", config.encoder.dropout),
        ("encoder.head_dropout", config.encoder.head_dropout),
        ("input.context_dropout", config.input.context_dropout),
        ("input.previous_dropout", config.input.previous_dropout),
    ):
        if not 0 <= value < 1:
            raise InputError(f"{where}: {name} is {value}, expected a share from 0 to below 1")
    for name, value in (
        ("loss.adversarial", config.loss.adversarial),
        ("loss.gamma_negative", config.loss.gamma_negative),
        ("loss.gamma_positive", config.loss.gamma_positive),
        ("loss.margin", config.loss.margin),
        ("replay", config.replay),
        ("early_stopping_patience", config.early_stopping_patience),
    ):
        if value < 0:
            raise InputError(f"{where}: {name} is {value}, expected 0 or more")
    if not 0 <= config.seed < SEEDS:
        raise InputError(f"{where}: seed is {config.seed}, expected 0 to {SEEDS - 1}")
    if not 0 < config.validation_fraction < 1:
        raise InputError(
            f"{where}: validation_fraction is {config.validation_fraction}, expected a share "
            "between 0 and 1"
        )
    if config.threshold_folds < 0 or config.threshold_folds == 1:
        raise InputError(
            f"{where}: threshold_folds is {config.threshold_folds}, expected 0 for none, or 2 or "
            "more"
        )
    if config.pretraining and not config.written:
        raise InputError(
            f"{where}: pretraining is on the written rows, and 'written' names none; leave it out "
            "(pretraining=) as well"
        )
    if config.relabelling and (config.pretraining or not config.written):
        raise InputError(
            f"{where}: relabelling is of written rows that teach in one stage; it needs 'written' "
            "and no 'pretraining', or leave it out (relabelling=)"
        )
    if config.loss.max_positive_weight < 1:
        raise InputError(f"{where}: loss.max_positive_weight is below 1")
    for block, keys in (
        ("trainer", config.trainer),
        ("pretraining", config.pretraining),
        ("relabelling", config.relabelling),
    ):
        for key in keys:
            if key in RESERVED:
                raise InputError(f"{where}: '{block}.{key}' is set by clauselens; leave it out")
    _ = config.input.format
