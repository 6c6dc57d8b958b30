"""One torch thread inside the block, and as many as before outside."""

import threading

import pytest
import torch

from sklearn_ddcl.training import one_thread


@pytest.fixture(autouse=True)
def three_threads():
    """Give torch three threads for a test, and put the count back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def in_a_thread(function):
    """Run a function in a new thread and return what it returns."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_there_is_one_thread_inside_and_the_old_count_outside():
    with one_thread():
        assert torch.get_num_threads() == 1

    assert torch.get_num_threads() == 3


def test_nested_blocks_restore_the_count_once():
    with one_thread():
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1

    assert torch.get_num_threads() == 3


def test_the_count_is_restored_after_an_error():
    with pytest.raises(RuntimeError, match="inside"), one_thread():
        raise RuntimeError("inside")

    assert torch.get_num_threads() == 3


def test_a_block_that_outlives_another_keeps_its_one_thread():
    entered, left = threading.Event(), threading.Event()

    def outlive():
        with one_thread():
            entered.set()
            left.wait(10)
            # Torch sets up a thread when it first asks.
            return torch.get_num_threads()

    with one_thread():
        results = []
        thread = threading.Thread(target=lambda: results.append(outlive()))
        thread.start()
        entered.wait(10)
    left.set()
    thread.join()

    assert results == [1]
    assert torch.get_num_threads() == 3


def test_new_threads_find_the_old_count_afterwards():
    def enter_and_leave():
        with one_thread():
            pass

    in_a_thread(enter_and_leave)

    assert in_a_thread(torch.get_num_threads) == 3
