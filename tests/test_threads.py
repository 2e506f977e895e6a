"""BLAS has its threads again when all who asked for one are done."""

from threading import Event, Thread

from threadpoolctl import threadpool_info

from afterfit._threads import one_thread


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_two_at_once_leave_the_threads_as_they_were():
    first_is_in, second_is_in, first_is_out = Event(), Event(), Event()

    def first():
        with one_thread():
            first_is_in.set()
            assert second_is_in.wait(60)
        first_is_out.set()

    def second():
        assert first_is_in.wait(60)
        with one_thread():
            assert set(blas_threads()) == {1}
            second_is_in.set()
            assert first_is_out.wait(60)

    before = blas_threads()
    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert first_is_out.is_set()
    assert blas_threads() == before
