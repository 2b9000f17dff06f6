// SPDX-License-Identifier: GPL-2.0
/*
 * Objects allocated on one CPU, or on several, and freed on another.
 *
 * Between each producer and the consumer is a ring of places.  A place is empty
 * (NULL) or holds an object; only the producer fills it, only the consumer
 * empties it, and each knows by itself which place is next.  The release of
 * produce() and the acquire of consume() let the consumer see what the producer
 * did to the object.  To empty a place needs no barrier: what the producer stores
 * there next can't be seen before.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"

#define RING_SIZE	256U		/* of an object */
#define RING_PLACES	256U
#define RING_ROUND	32768U		/* objects in a round, of all producers */
#define RING_PRODUCERS	63U
#define KILO_SECOND	1000000000000ULL	/* 1,000 seconds in nanoseconds */

struct ring {
	void *place[RING_PLACES];
};

struct team;

/**
 * struct producer - one who allocates
 * @team: who he works with
 * @ring: where he puts the objects
 * @task: his thread
 * @cpu: what it runs on
 * @done: all is in the ring; the thread is about to end
 */
struct producer {
	struct team *team;
	struct ring *ring;
	struct task_struct *task;
	int cpu;
	struct completion done;
};

/**
 * struct team - producers and the consumer, which is the workload's thread
 * @set: the caches
 * @nr: of producers
 * @share: objects that each allocates in a round
 * @produce: a producer's loop
 * @consume: the consumer's
 * @ready: who has come so far; all start when the last has
 * @producer: the producers
 */
struct team {
	struct bench_set *set;
	unsigned int nr;
	unsigned int share;
	void (*produce)(struct producer *p);
	void (*consume)(struct team *team);
	atomic_t ready;
	struct producer producer[RING_PRODUCERS];
};

static __always_inline void produce(enum bench_who who, struct producer *p)
{
	void *handle = p->team->set->handle[who], **place, *obj;
	unsigned int i;

	for (i = 0; i < p->team->share; i++) {
		obj = bench_alloc(who, handle, GFP_KERNEL);
		place = &p->ring->place[i % RING_PLACES];
		while (READ_ONCE(*place))
			cpu_relax();
		smp_store_release(place, obj);	/* for consume() */
	}
}

static __always_inline void consume(enum bench_who who, struct team *team)
{
	void *handle = team->set->handle[who], **place, *obj;
	unsigned int i, nr;

	for (i = 0; i < team->share; i++) {
		for (nr = 0; nr < team->nr; nr++) {
			place = &team->producer[nr].ring->place[i % RING_PLACES];
			while (!(obj = smp_load_acquire(place)))  /* of produce() */
				cpu_relax();
			WRITE_ONCE(*place, NULL);
			bench_free(who, handle, obj);
		}
	}
}

#define RING_LOOPS(who, suffix)						\
	static noinline void produce_##suffix(struct producer *p)	\
	{								\
		produce(who, p);					\
	}								\
	static noinline void consume_##suffix(struct team *team)	\
	{								\
		consume(who, team);					\
	}

RING_LOOPS(BENCH_LOOP, loop)
RING_LOOPS(BENCH_MPSLAB, mpslab)
RING_LOOPS(BENCH_KMEM_CACHE, kmem_cache)

static void team_choose(struct team *team, enum bench_who who)
{
	switch (who) {
	case BENCH_MPSLAB:
		team->produce = produce_mpslab;
		team->consume = consume_mpslab;
		break;
	case BENCH_KMEM_CACHE:
		team->produce = produce_kmem_cache;
		team->consume = consume_kmem_cache;
		break;
	default:
		team->produce = produce_loop;
		team->consume = consume_loop;
	}
}

/* Nobody starts before the last has come: what he did until then isn't counted. */
static void team_meet(struct team *team)
{
	atomic_inc(&team->ready);
	while (atomic_read(&team->ready) <= team->nr)
		cpu_relax();
}

static int producer_thread(void *data)
{
	struct producer *p = data;

	team_meet(p->team);
	p->team->produce(p);
	kthread_complete_and_exit(&p->done, 0);
}

/* One round; returns how long it took, or a negative error. */
static s64 team_round(struct team *team)
{
	struct producer *p;
	unsigned int nr;
	u64 start;

	atomic_set(&team->ready, 0);
	for (nr = 0; nr < team->nr; nr++) {
		p = &team->producer[nr];
		init_completion(&p->done);
		p->task = kthread_create(producer_thread, p, "mpslab_bench/%u",
					 nr);
		if (IS_ERR(p->task)) {
			/* The others have not begun, and won't. */
			while (nr--)
				kthread_stop(team->producer[nr].task);
			return PTR_ERR(p->task);
		}
		kthread_bind(p->task, p->cpu);
	}
	for (nr = 0; nr < team->nr; nr++)
		wake_up_process(team->producer[nr].task);

	team_meet(team);
	start = bench_clock();
	team->consume(team);
	start = bench_clock() - start;
	for (nr = 0; nr < team->nr; nr++)
		wait_for_completion(&team->producer[nr].done);
	return start;
}

static int team_measure(struct team *team)
{
	static const enum bench_who peers[] = {
		BENCH_LOOP, BENCH_MPSLAB, BENCH_KMEM_CACHE
	};
	static u64 times[ARRAY_SIZE(peers)][BENCH_ROUNDS];
	unsigned int objects = team->share * team->nr;
	int round, i;
	s64 time;

	for (round = -1; round < BENCH_ROUNDS; round++) {
		for (i = 0; i < ARRAY_SIZE(peers); i++) {
			team_choose(team, peers[i]);
			time = team_round(team);
			if (time < 0)
				return time;
			times[i][max(round, 0)] = time;
		}
	}
	for (i = 0; i < ARRAY_SIZE(peers); i++)
		bench_row("ring", RING_SIZE, team->nr, bench_name(peers[i]),
			  div64_u64(KILO_SECOND * objects, bench_median(times[i])),
			  "per_s");
	return 0;
}

static int team_run(struct team *team, struct bench_set *set, unsigned int nr)
{
	int cpu = smp_processor_id();		/* the workload's thread is bound */
	int err = -ENOMEM;
	unsigned int i;

	team->set = set;
	team->nr = nr;
	team->share = RING_ROUND / nr;
	for (i = 0; i < nr; i++) {
		struct producer *p = &team->producer[i];

		cpu = cpumask_next(cpu, cpu_online_mask);
		p->team = team;
		p->cpu = cpu;
		p->ring = kzalloc(sizeof(*p->ring), GFP_KERNEL);
		if (!p->ring)
			break;
	}
	if (i == nr)
		err = team_measure(team);
	while (i--)
		kfree(team->producer[i].ring);
	return err;
}

static int run_ring(void)
{
	unsigned int others = min(num_online_cpus() - 1, RING_PRODUCERS);
	struct bench_set set;
	struct team *team;
	int err;

	if (!others)
		return -EOPNOTSUPP;
	team = kzalloc(sizeof(*team), GFP_KERNEL);
	if (!team)
		return -ENOMEM;
	err = bench_set_init(&set, RING_SIZE, 0);
	if (!err) {
		err = team_run(team, &set, 1);
		if (!err && others > 1)
			err = team_run(team, &set, others);
		bench_set_exit(&set);
	}
	kfree(team);
	return err;
}

const struct bench_workload bench_ring[] = {
	{ "ring", run_ring },
	{}
};
