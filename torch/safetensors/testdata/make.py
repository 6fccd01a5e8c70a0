"""Makes python.safetensors with the Python package safetensors 0.8.0 (numpy only).

python make.py, in this folder. The test has the same values in Go.
"""
import numpy as np
import safetensors

keep = []  # TensorSpec holds addresses only

def t(dtype, shape, array):
    keep.append(np.ascontiguousarray(array))
    return safetensors.TensorSpec(dtype=dtype, shape=shape, data_ptr=keep[-1].ctypes.data, data_len=keep[-1].nbytes)

halves = np.array([0, 0x8000, 1, 0x03FF, 0x0400, 0x3C00, 0xC000, 0x7BFF, 0x7C00, 0xFC00], np.uint16)
brains = np.array([0, 0x8000, 1, 0x0080, 0x3F80, 0xC000, 0x7F7F, 0x7F80, 0xFF80], np.uint16)
tensors = {
    "f64": t("float64", [2], np.array([np.pi, -1e300], np.float64)),
    "f32": t("float32", [2, 3], np.arange(6, dtype=np.float32) / 3),
    "f16": t("float16", [10], halves),
    "bf16": t("bfloat16", [9], brains),
    "i64": t("int64", [2], np.array([-(1 << 63), (1 << 63) - 1], np.int64)),
    "i32": t("int32", [3], np.array([-(1 << 31), 0, (1 << 31) - 1], np.int32)),
    "i16": t("int16", [2], np.array([-32768, 32767], np.int16)),
    "i8": t("int8", [2], np.array([-128, 127], np.int8)),
    "u64": t("uint64", [1], np.array([(1 << 63) - 1], np.uint64)),
    "u32": t("uint32", [1], np.array([(1 << 32) - 1], np.uint32)),
    "u16": t("uint16", [1], np.array([65535], np.uint16)),
    "u8": t("uint8", [3, 1], np.array([0, 7, 255], np.uint8)),
    "bool": t("bool", [3], np.array([1, 0, 1], np.bool_)),
    "scalar": t("float32", [], np.float32(1.5)),
    "empty": t("float32", [0, 4], np.zeros((0, 4), np.float32)),
    'tricky "name" \\ é <&> \u2028 \t': t("int32", [1], np.array([1], np.int32)),
}
open("python.safetensors", "wb").write(safetensors.serialize(tensors, {"format": "pt",}))
