/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the pool share: a backend that does as it is told and
 * notices every misuse of its elements, and threads that wait for elements.
 *
 * An element is IDLE (in the backend), POOLED (made by the backend, in nobody's
 * hands) or HELD (in a client's).  Every move between two states is checked, so
 * an element that is handed out twice, freed twice or lost shows as an error of
 * the backend, whichever CPU did it.  The elements lie in one array that lives
 * as long as the backend: nothing here reads freed memory to find out.
 *
 * The suites' init and exit are pool_test_init() and pool_test_exit(); the
 * latter ends every case with the same three questions: did every element come
 * home once, was no element in two hands, and did the pool report exactly the
 * callers' mistakes that the case made?
 */
#ifndef MPSLAB_KUNIT_POOL_FIXTURE_H
#define MPSLAB_KUNIT_POOL_FIXTURE_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "../mempool_internal.h"

#define BACKEND_ELEMS	256	/* what a backend can make */
#define BACKEND_CALLS	16	/* calls whose flags are remembered */
#define POOL_WAITERS	32	/* threads of one case */
#define WAITER_ELEMS	8	/* the largest bulk of such a thread */

/* How long something that should happen at once may take, in milliseconds. */
#define SOON_MS		2000
/* How long something that must not happen is waited for. */
#define NEVER_MS	20
/* Period of a waiter's own tries, from the contract. */
#define RETRY_MS	5000

enum elem_state { ELEM_IDLE, ELEM_POOLED, ELEM_HELD };

struct test_backend;

/**
 * struct backend_elem - an element
 * @be: whose it is
 * @next: the next idle one; under test_backend.lock
 * @state: an enum elem_state
 * @serial: its index
 * @owner: written by the holder alone, and read back when it lets go
 */
struct backend_elem {
	struct test_backend *be;
	struct backend_elem *next;
	atomic_t state;
	unsigned int serial;
	unsigned long owner;
};

/**
 * struct test_backend - a pool's backend that does as it is told
 * @lock: guards what follows, up to @gfp
 * @idle: stack of idle elements
 * @live: elements made and not freed
 * @calls: calls of its allocation
 * @frees: calls of its free
 * @gfp: flags of the first calls since backend_forget()
 * @closed: it fails every call
 * @fail_call: the call that fails, counted from 1 since backend_forget()
 * @open_call: the call that doesn't fail though @closed; likewise
 * @close_call: the call that fails and sets @closed; likewise
 * @errors: misuses noticed
 * @error: the first of them
 * @on_alloc: called at the start of each allocation, no lock held
 * @on_free: called at the end of each free, no lock held
 * @hook_data: for these two
 * @elems: all elements
 */
struct test_backend {
	raw_spinlock_t lock;
	struct backend_elem *idle;
	unsigned int live;
	unsigned int calls;
	unsigned int frees;
	gfp_t gfp[BACKEND_CALLS];

	bool closed;
	unsigned int fail_call;
	unsigned int open_call;
	unsigned int close_call;
	atomic_t errors;
	const char *error;
	void (*on_alloc)(struct test_backend *be, gfp_t gfp);
	void (*on_free)(struct test_backend *be);
	void *hook_data;
	struct backend_elem elems[BACKEND_ELEMS];
};

void *backend_alloc(gfp_t gfp, void *pool_data);
void backend_free(void *element, void *pool_data);
void backend_init(struct test_backend *be);
void backend_forget(struct test_backend *be);
void backend_close(struct test_backend *be);
void backend_open(struct test_backend *be);

/* A client takes an element in its hands, and lets go of it. */
void elem_claim(struct test_backend *be, void *element, unsigned long owner);
void elem_release(struct test_backend *be, void *element, unsigned long owner);

struct pool_test;

/**
 * struct waiter_thread - a thread that makes one allocation and ends
 * @pt: the case that it belongs to
 * @task: the thread
 * @how: how it allocates, if in an unusual way; its result becomes @ret
 * @gfp: flags of a single allocation
 * @count: elements of a bulk allocation; 0 for a single one
 * @switches: how often it had given up its CPU before that; ULONG_MAX until then
 * @elems: what it got
 * @ret: what the bulk allocation returned
 * @served: the allocation returned
 */
struct waiter_thread {
	struct pool_test *pt;
	struct task_struct *task;
	int (*how)(struct waiter_thread *w);
	gfp_t gfp;
	unsigned int count;
	unsigned long switches;
	void *elems[WAITER_ELEMS];
	int ret;
	bool served;
};

/**
 * struct pool_test - the state of a case
 * @test: the case
 * @be: backend of @pool
 * @pool: the pool under test, embedded, set up by pool_start()
 * @reports: usage_bugs() at the start
 * @expected_reports: callers' mistakes that the case made on purpose
 * @how: how the next threads allocate; NULL for the usual way
 * @nr_waiters: threads in @waiter
 * @waiter: the threads, in the order in which they began to wait
 */
struct pool_test {
	struct kunit *test;
	struct test_backend be;
	struct mpslab_pool pool;
	unsigned long reports;
	unsigned int expected_reports;
	int (*how)(struct waiter_thread *w);
	unsigned int nr_waiters;
	struct waiter_thread waiter[POOL_WAITERS];
};

int pool_test_init(struct kunit *test);
void pool_test_exit(struct kunit *test);

/*
 * Set up the pool, with the backend open and strict order of service; a failure
 * ends the case.
 */
void pool_start(struct pool_test *pt, int min_nr);

/* Allocate and free as a client does that checks what it gets. */
void *pool_get(struct pool_test *pt, gfp_t gfp);
void *pool_get_reserved(struct pool_test *pt);
void pool_put(struct pool_test *pt, void *element);
void pool_put_many(struct pool_test *pt, void **elems, unsigned int nr);
/* Close the backend and take the whole reserve, @nr elements. */
void pool_exhaust(struct pool_test *pt, void **elems, unsigned int nr);

/* Start a thread, and return when it sleeps in the queue; a failure ends the case. */
struct waiter_thread *waiter_start(struct pool_test *pt, gfp_t gfp);
struct waiter_thread *waiter_start_bulk(struct pool_test *pt, unsigned int count);
/* Start a thread without waiting for anything. */
struct waiter_thread *waiter_launch(struct pool_test *pt, gfp_t gfp,
				    unsigned int count);
bool waiter_served(struct waiter_thread *w);
unsigned int waiters_served(struct pool_test *pt);
/* How often the thread gave up its CPU, and so how often it was woken. */
unsigned long waiter_switches(struct waiter_thread *w);
/* Give back what a served thread got. */
void waiter_put(struct waiter_thread *w);

/* Wait until it is so; false if it does not become so soon. */
bool soon_waiting(struct pool_test *pt, unsigned int nr);
bool soon_served(struct pool_test *pt, unsigned int nr);
/* The same for a waiter's next try of the backend. */
bool soon_called(struct test_backend *be, unsigned int calls);
/* A pool of @nr with everything taken to @elems, and @waiting threads. */
void start_queue(struct pool_test *pt, void **elems, unsigned int nr,
		 unsigned int waiting);
/* The first @nr threads were served, and no others. */
void expect_served_first(struct pool_test *pt, unsigned int nr);

/* All came back; so the reserve is full, and nothing was lost. */
void expect_settled(struct pool_test *pt, int min_nr);
/* As long as nothing but the reserve exists, none of it may leave the pool. */
void expect_backend_untouched(struct pool_test *pt);

/* Give what must not happen the time to happen. */
void let_settle(void);

/* A caller's mistake follows that the pool has to report once. */
#define EXPECT_REPORT(pt)	((pt)->expected_reports++)

#endif /* MPSLAB_KUNIT_POOL_FIXTURE_H */
