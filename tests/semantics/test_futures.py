"""Values that are there later: what callbacks and their errors do."""

import copy

import pytest


@pytest.fixture
def futures(torch):
    return torch.futures


def done(futures, value):
    future = futures.Future()
    future.set_result(value)
    return future


def test_what_a_callback_raises_is_a_runtime_error_with_its_frames(futures):
    failed = done(futures, 1).then(lambda future: future.value() / 0)
    with pytest.raises(RuntimeError) as caught:
        failed.wait()
    first, _, at, innermost, *_others = str(caught.value).splitlines()
    assert first == "Got the following error when running the callback: ZeroDivisionError: division by zero" and at == "At:"
    assert innermost.startswith(f"  {__file__}(") and innermost.endswith("): <lambda>")
    # The next one has its error, and one that cannot be called with a Future fails as well.
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        failed.then(lambda future: future.wait()).wait()
    with pytest.raises(RuntimeError, match=r"takes 0 positional arguments but 1 was given$"):
        done(futures, 1).then(lambda: 2).wait()


def test_what_is_set_to_be_raised_is_raised_as_it_is(futures):
    future = futures.Future()
    future.set_exception(KeyError("lost"))
    for ask in (future.wait, future.value, lambda: futures.wait_all([future])):
        with pytest.raises(KeyError, match="lost"):
            ask()
    with pytest.raises(AssertionError, match="not an Exception"):
        futures.Future().set_exception(KeyboardInterrupt())


def test_callbacks_beside_the_value_only_print(futures, capfd):
    seen, future = [], futures.Future()
    future.add_done_callback(lambda future: 1 / 0)
    future.add_done_callback(lambda future: seen.append(future.wait()))
    future.set_result(3)
    future.add_done_callback(lambda: None)
    assert seen == [3] and future.wait() == 3
    printed = capfd.readouterr().err
    assert "ZeroDivisionError: division by zero" in printed and "takes 0 positional arguments" in printed


def test_the_first_failure_of_several_is_that_of_all(torch, futures):
    waiting, failed = futures.Future(), done(futures, 1).then(lambda future: 1 / 0)
    both = futures.collect_all([waiting, failed, failed])
    assert both.done() and not waiting.done()
    waiting.set_result(1)
    for ask in (both.wait, lambda: futures.wait_all([failed, done(futures, 2)])):
        with pytest.raises(RuntimeError, match="division by zero"):
            ask()
    with pytest.raises(RuntimeError, match="Future can't be None"):
        futures.collect_all([waiting, None])
    for ask in (copy.copy, copy.deepcopy):
        with pytest.raises(RuntimeError, match=r"Can not pickle torch\.futures\.Future"):
            ask(waiting)
    with pytest.warns(DeprecationWarning), pytest.raises(RuntimeError, match="Future can't be None"):
        torch.jit.wait(None)
