"""The ``trainer:`` block of a configuration, checked, as the Trainer's arguments."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import torch
from transformers import Trainer, TrainingArguments
from transformers.integrations import get_reporting_integration_callbacks

from clauselens.errors import InputError
from clauselens.taxonomy import nearest
from clauselens.training.config import TrainConfig, typed

_ABOVE_0 = ("num_train_epochs", "per_device_train_batch_size", "gradient_accumulation_steps")


def training_arguments(config: TrainConfig, work: Path) -> TrainingArguments:
    """The ``trainer:`` block as TrainingArguments, with checkpoints in ``work``.

    Raises InputError on an unknown key, or on a value that the Trainer or its optimiser refuses.
    """
    known = {entry.name: entry.type for entry in fields(TrainingArguments) if entry.init}
    values = dict(config.trainer)
    if values.get("bf16") == "auto":
        values["bf16"] = has_fast_bf16()
    for key, value in values.items():
        if key not in known:
            raise InputError(f"unknown key 'trainer.{key}'{nearest(key, list(known))}")
        if known[key] in (int, float, bool):
            values[key] = typed(known[key], value, place=f"'trainer.{key}'")
        if key in _ABOVE_0 and values[key] <= 0:
            raise InputError(f"'trainer.{key}' is {value}, expected more than 0")
    if config.loss.adversarial and values.get("gradient_accumulation_steps", 1) > 1:
        raise InputError("loss.adversarial does not go with trainer.gradient_accumulation_steps")
    values.setdefault("use_cpu", not torch.cuda.is_available())
    # Our loss is a mean over rows already: it is not to be multiplied by the number of processes.
    values.setdefault("average_tokens_across_devices", False)
    try:
        arguments = TrainingArguments(
            output_dir=str(work),
            seed=config.seed,
            data_seed=config.seed,
            remove_unused_columns=False,
            label_names=["labels"],
            **values,
        )
        # Rates, betas and decay are checked by the optimiser alone, the names in report_to by what
        # reports, and both are made late.
        kind, settings = Trainer.get_optimizer_cls_and_kwargs(arguments)
        kind([torch.nn.Parameter(torch.zeros(1))], **settings)
        for reporting in get_reporting_integration_callbacks(arguments.report_to):
            reporting()
    except (TypeError, ValueError, ImportError, RuntimeError) as error:
        raise InputError(f"trainer: {' '.join(str(error).split())}") from None
    return arguments


def has_fast_bf16() -> bool:
    """Whether this machine multiplies bf16 natively (a GPU that has it, AMX or AVX-512 bf16)."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
