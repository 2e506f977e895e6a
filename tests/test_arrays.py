"""Arrays of other libraries: what is taken, where it stays, and what is refused in which words."""

import array_api_strict as strict
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from afterfit import _arrays

NUMBERS = np.arange(6.0).reshape(3, 2)
DEVICES = [strict.Device(name) for name in ("CPU_DEVICE", "device1", "device2")]


class Detachable:
    """What torch's tensors do that require a gradient: refuse to be anything else."""

    def __init__(self, array):
        self.array = array

    def detach(self):
        return self.array


class TestForeign:
    def test_arrays_of_other_libraries_are(self):
        assert _arrays.is_foreign(strict.asarray(NUMBERS))
        assert _arrays.is_foreign(jnp.asarray(NUMBERS, dtype=jnp.float32))

    def test_what_has_a_door_of_its_own_is_not(self):
        frame = pd.DataFrame(NUMBERS)
        own = [NUMBERS, np.ma.masked_less(NUMBERS, 2), NUMBERS.tolist(), np.float64(1), None, "a"]
        assert not any(map(_arrays.is_foreign, [*own, frame, frame[0], pl.DataFrame(NUMBERS)]))
        assert not _arrays.is_foreign(sparse.eye_array(3))

    def test_dask_is_not_since_it_computes_later(self):
        dask_array = pytest.importorskip("dask.array")
        assert not _arrays.is_foreign(dask_array.from_array(NUMBERS))


class TestOpening:
    @pytest.mark.parametrize("device", DEVICES, ids=str)
    @pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
    def test_float64_where_it_lies(self, device, dtype):
        stored = strict.asarray(NUMBERS > 2 if dtype == "bool" else NUMBERS, device=device)
        stored = strict.astype(stored, getattr(strict, dtype))
        array = _arrays.as_float64(_arrays.open_array(stored, "X"))
        assert array.device == device
        assert array.dtype == strict.float64
        expected = NUMBERS > 2 if dtype == "bool" else NUMBERS
        assert np.array_equal(_arrays.to_numpy(array), expected)
        back = _arrays.like(_arrays.to_numpy(array), array)
        assert back.device == device

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "int32"])
    def test_jax_without_float64_is_handed_to_numpy(self, dtype):
        array = _arrays.open_array(jnp.asarray(NUMBERS, dtype=dtype), "X")
        assert type(array) is np.ndarray
        assert array.dtype == np.float64
        assert np.array_equal(array, NUMBERS)

    def test_jax_with_float64_stays_what_it_is(self):
        with jax.enable_x64(True):
            array = _arrays.open_array(jnp.asarray(NUMBERS, dtype=jnp.bfloat16), "X")
            assert isinstance(array, jax.Array)
            assert _arrays.as_float64(array).dtype == jnp.float64
            assert np.array_equal(_arrays.to_numpy(_arrays.as_float64(array)), NUMBERS)

    def test_gradients_are_cut_off(self):
        array = strict.asarray(NUMBERS)
        assert _arrays.open_array(Detachable(array), "X") is array

    def test_numpy_passes_through_the_helpers(self):
        assert _arrays.to_numpy(NUMBERS) is NUMBERS
        assert _arrays.like(NUMBERS, NUMBERS) is NUMBERS
        assert _arrays.as_float64(NUMBERS) is NUMBERS
        assert _arrays.as_float64(NUMBERS.astype(np.float16)).dtype == np.float64

    def test_a_library_that_moves_to_the_host_by_its_own_method(self):
        class OnTheCard:
            def get(self):
                return NUMBERS

        assert _arrays.to_numpy(OnTheCard()) is NUMBERS

    @pytest.mark.parametrize(
        ("dtype", "expected"),
        # 2^-10 and 2^-7 for 10 and 7 bits behind the leading one; whole numbers are exact.
        [("float16", 2**-10), ("bfloat16", 2**-7), ("float32", 2**-23), ("int32", 2**-52)],
    )
    def test_spacing_as_stored(self, dtype, expected):
        assert _arrays.epsilon(jnp.ones(2, dtype=dtype)) == expected

    def test_spacing_of_numpy_and_of_strict(self):
        assert _arrays.epsilon(NUMBERS) == 2**-52
        assert _arrays.epsilon(NUMBERS.astype(np.float16)) == 2**-10
        assert _arrays.epsilon(strict.asarray(NUMBERS, dtype=strict.float32)) == 2**-23


class TestErrors:
    def test_no_float64_on_the_device(self):
        device = strict.Device("no_float64")
        array = strict.asarray(NUMBERS, dtype=strict.float32, device=device)
        with pytest.raises(TypeError, match=r"`X` must lie where.*no_float64.*another device"):
            _arrays.open_array(array, "X")

    def test_complex_numbers(self):
        with pytest.raises(TypeError, match=r"`X` must be real numbers, got dtype.*complex128"):
            _arrays.open_array(strict.asarray(NUMBERS + 1j), "X")

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (NUMBERS[0], r"`X` must have two dimensions.*\(2,\)"),
            (NUMBERS[:1], r"`X` must have at least 2 row\(s\).*\(1, 2\)"),
            (NUMBERS[:, :0], r"1 column, got shape \(3, 0\)"),
        ],
    )
    def test_shapes(self, values, message):
        with pytest.raises(ValueError, match=message):
            _arrays.check_foreign_matrix(strict.asarray(values), "X", min_rows=2)

    @pytest.mark.parametrize("block", [1, 2, 2**22])
    def test_missing_values_are_counted_by_column(self, block, monkeypatch):
        monkeypatch.setattr(_arrays, "BLOCK_VALUES", block)
        values = NUMBERS.copy()
        values[0, 1] = values[2, 1] = np.nan
        values[1, 0] = np.inf
        for device in DEVICES:
            array = strict.asarray(values, device=device)
            with pytest.raises(ValueError, match=r"`Y` must be finite.*column\(s\) 0 \(1\), 1 \(2"):
                _arrays.check_foreign_matrix(array, "Y")
        good = strict.asarray(NUMBERS)
        assert _arrays.check_foreign_matrix(good, "Y") is good

    def test_two_devices_are_both_named(self):
        one, two = (strict.asarray(NUMBERS, device=device) for device in DEVICES[1:])
        _arrays.check_same_device(X=one, Y=one)
        with pytest.raises(ValueError, match=r"`X` is of.*strict on.*device1.*`Y`.*device2"):
            _arrays.check_same_device(X=one, Y=two)

    def test_two_libraries_are_both_named(self):
        with pytest.raises(ValueError, match=r"`X` is of numpy on cpu, `Y` is of array_api_strict"):
            _arrays.check_same_device(X=NUMBERS, Y=strict.asarray(NUMBERS))
