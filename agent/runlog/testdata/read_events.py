"""Prints, as JSON, what TensorBoard's own reader finds in a run's folder. Needs tensorboard."""
import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

acc = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
acc.Reload()
tags = acc.Tags()

def value(v):
    return getattr(v, v.WhichOneof("kind"))


hparams = {tag: plugin_data_pb2.HParamsPluginData.FromString(b).session_start_info.hparams
           for tag, b in acc.PluginTagToContent("hparams").items()}
json.dump({
    "hparams": {tag: {name: value(v) for name, v in h.items()} for tag, h in hparams.items()},
    "scalars": {t: [[e.step, e.value] for e in acc.Scalars(t)] for t in tags["scalars"]},
    "histograms": {t: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
                        sum(e.histogram_value.bucket)] for e in acc.Histograms(t)] for t in tags["histograms"]},
    "images": {t: [[e.step, e.width, e.height, e.encoded_image_string[1:4].decode()] for e in acc.Images(t)]
               for t in tags["images"]},
}, sys.stdout)
