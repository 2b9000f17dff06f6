/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the soak share; the theory is at the top of soak_main.c.
 */
#ifndef MPSLAB_SOAK_H
#define MPSLAB_SOAK_H

#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/percpu.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "mpslab.h"

#undef pr_fmt
#define pr_fmt(fmt) "mpslab_soak: " fmt

#define SOAK_THREADS_MAX	64U
#define SOAK_CACHES		12U
#define SOAK_POOLS		4U
#define SOAK_NAME_LEN		32

/* What one worker has at a time, and what one operation moves at most. */
#define TABLE_SIZE		48U
#define BULK_MAX		64U
#define BURST_MAX		256U
#define ERRANDS			8U
#define ERRAND_MAX		16U
#define ERRAND_GETS		4U

/* ------------------------------------------------------------------ places -- */

enum place_state { PLACE_EMPTY, PLACE_OPEN, PLACE_CLOSED };

/**
 * struct place - where a cache or a pool comes and goes
 * @state: open while it may be used
 * @users: objects that are out, and operations under way
 *
 * Who closes a place waits until @users is 0; who enters counts himself first and
 * then looks at @state.  Both are atomic operations with full ordering on each
 * side, so that one of them sees the other.
 */
struct place {
	atomic_t state;
	atomic_t users;
};

bool place_enter(struct place *p);
void place_leave(struct place *p);
bool place_is_closed(struct place *p);

/* ------------------------------------------------------ caches and objects -- */

/**
 * struct soak_cache - a cache that comes and goes
 * @place: is it there
 * @cache: it
 * @size: of its objects, bytes
 * @align: asked for, bytes
 * @constructed: it has a constructor
 * @rcu: its slabs outlive an RCU grace period
 * @name: in debugfs; no two have the same
 */
struct soak_cache {
	struct place place;
	struct mpslab_cache *cache;
	unsigned int size;
	unsigned int align;
	bool constructed;
	bool rcu;
	char name[SOAK_NAME_LEN];
};

/**
 * struct held - an object and who has it
 * @from: the cache, entered once for it; NULL if there is no object
 * @obj: the object
 * @stamp: what is written all over it
 */
struct held {
	struct soak_cache *from;
	void *obj;
	u32 stamp;
};

enum soak_ctx { CTX_TASK, CTX_NO_PREEMPT, CTX_BH, CTX_IRQS_OFF, CTX_NMI, NR_CTX };

struct worker;

extern struct soak_cache soak_caches[SOAK_CACHES];

void stamp_write(void *obj, unsigned int size, u32 stamp);
bool stamp_check(struct worker *w, const char *whose, const void *obj,
		 unsigned int size, u32 stamp);
bool cache_get(struct worker *w, struct soak_cache *c, u32 how, gfp_t gfp,
	       struct held *h);
void cache_burst(struct worker *w, struct soak_cache *c, u32 how);
unsigned int cache_get_bulk(struct worker *w, struct soak_cache *c, gfp_t gfp,
			    struct held *h, unsigned int nr);
void cache_put(struct worker *w, struct held *h);
void cache_put_somehow(struct worker *w, struct held *h, u32 how);
bool cache_can_put_rcu(const struct held *h);
void cache_put_rcu(struct worker *w, struct held *h);
void cache_read(struct worker *w, const struct held *h, u32 how);
void cache_resize(struct worker *w, struct held *h, u32 how, gfp_t gfp);
void cache_put_bulk(struct worker *w, struct held *h, unsigned int nr);
bool held_check(struct worker *w, const struct held *h);
void cache_recreate(struct worker *w, struct soak_cache *c, u32 how, u32 more);
bool caches_wait_for_rcu(void);
int caches_init(void);
void caches_destroy(void);

/* ------------------------------------------------------------------- pools -- */

enum pool_kind { POOL_SLAB, POOL_FLAKY, POOL_KMALLOC, POOL_PAGES, NR_POOL_KINDS };

/**
 * struct soak_pool - a pool that comes and goes
 * @place: is it there
 * @pool: it; @embedded, or one that was created
 * @embedded: a pool that was initialised
 * @cache: what it is over, for the first two kinds
 * @kind: of which backend
 * @size: of its elements, bytes
 * @least: its reserve is never made smaller; what is taken at once is no more
 * @fails: the backend has nothing, if it is the flaky one
 * @name: in debugfs, of pool and cache; no two have the same
 */
struct soak_pool {
	struct place place;
	struct mpslab_pool *pool;
	struct mpslab_pool embedded;
	struct mpslab_cache *cache;
	enum pool_kind kind;
	unsigned int size;
	unsigned int least;
	bool fails;
	char name[SOAK_NAME_LEN];
};

extern struct soak_pool soak_pools[SOAK_POOLS];

void pool_use(struct worker *w, struct soak_pool *p, u32 how, u32 more);
void pool_use_bulk(struct worker *w, struct soak_pool *p, u32 how, u32 more);
void pool_resize(struct worker *w, struct soak_pool *p, u32 how);
void pool_flap(struct soak_pool *p, u32 how);
void pool_put(struct worker *w, struct soak_pool *p, void *element, u32 stamp);
void pool_put_bulk(struct worker *w, struct soak_pool *p, void **elements,
		   const u32 *stamps, unsigned int nr);
void pool_recreate(struct worker *w, struct soak_pool *p, u32 how, u32 more);
int pool_create_lone(struct soak_pool *p, unsigned int index);
void pool_destroy(struct soak_pool *p);
void pools_destroy(void);

/* ----------------------------------------------------------------- errands -- */

enum errand_way { BY_TIMER, BY_TASKLET, BY_IRQ_WORK, BY_IPI, BY_WORK, NR_WAYS };

/**
 * struct errand - objects and elements that are brought back from elsewhere
 * @w: whose errand it is
 * @busy: under way; cleared, with release, as the last thing that the errand
 *	does, and set by the worker alone
 * @put: objects to be freed
 * @nr_put: how many
 * @get_from: cache to allocate from, entered once; or NULL
 * @nr_get: how many
 * @got: what that gave, the worker's when the errand is not @busy
 * @pool: whose elements they are, or NULL; entered once for each
 * @elements: to be freed
 * @stamps: theirs
 * @nr_elements: how many
 * @how: a number that was drawn for it
 * @bulk: bring them back at once
 * @timer: one of the ways, as are the others
 * @tasklet: for a softirq on this CPU
 * @irq_work: for a hardirq on this CPU
 * @csd: for a hardirq on another CPU
 * @work: for a task on another CPU
 */
struct errand {
	struct worker *w;
	bool busy;
	struct held put[ERRAND_MAX];
	unsigned int nr_put;
	struct soak_cache *get_from;
	unsigned int nr_get;
	struct held got[ERRAND_GETS];
	struct soak_pool *pool;
	void *elements[ERRAND_MAX];
	u32 stamps[ERRAND_MAX];
	unsigned int nr_elements;
	u32 how;
	bool bulk;

	struct timer_list timer;
	struct tasklet_struct tasklet;
	struct irq_work irq_work;
	call_single_data_t csd;
	struct work_struct work;
};

void errand_init(struct errand *e, struct worker *w);
void errand_exit(struct errand *e);
bool errand_is_idle(struct errand *e);
struct errand *errand_idle(struct worker *w);
void errand_send(struct errand *e, u32 how, bool any_context);
void errand_take_back(struct errand *e, bool all);

/* ----------------------------------------------------------------- workers -- */

/**
 * struct worker - a thread with a schedule of its own
 * @task: the thread
 * @index: its number
 * @rnd: where its schedule comes from, and nothing else uses
 * @op: number of the operation
 * @doing: what that is
 * @seen_op: @op when the watch last looked
 * @seen_at: when it was seen to have moved, in jiffies
 * @seq: of the stamps; used from errands, too
 * @parked: it has stopped, because the soak is paused
 * @killable: it allocates in a way that a kill may end
 * @table: objects that it has
 * @bulk: room for an operation on many
 * @objs: likewise
 * @burst: likewise
 * @errands: its errands
 * @lone: a pool that nobody else uses, with no more than its reserve; so nobody but
 *	the errand that brings an element back wakes who waits for it
 */
struct worker {
	struct task_struct *task;
	unsigned int index;
	struct rnd_state rnd;
	u64 op;
	const char *doing;
	u64 seen_op;
	unsigned long seen_at;
	atomic_t seq;
	bool parked;
	bool killable;
	struct held table[TABLE_SIZE];
	struct held bulk[BULK_MAX];
	void *objs[BULK_MAX];
	u32 *burst[BURST_MAX];
	struct errand errands[ERRANDS];
	struct soak_pool lone;
};

unsigned long ctx_enter(enum soak_ctx ctx);
void ctx_leave(enum soak_ctx ctx, unsigned long irq);
int worker_thread(void *worker);
void worker_settle(struct worker *w);
u32 worker_stamp(struct worker *w);
void mailboxes_init(void);

/* ---------------------------------------------------------------- the soak -- */

enum soak_count {
	C_ALLOC, C_ALLOC_LRU, C_ALLOC_FAILED, C_FREE, C_FREE_ADDRESS, C_FREE_RCU,
	C_STAYED, C_MOVED, C_CHECK, C_PEEK, C_READ, C_SHRINK,
	C_CACHE_CREATED, C_CACHE_FAILED, C_CACHE_DESTROYED,
	C_POOL_ALLOC, C_POOL_FAILED, C_POOL_KILLED, C_POOL_TIMED_OUT,
	C_POOL_FREE, C_POOL_RESIZED,
	C_POOL_NOT_RESIZED, C_POOL_CREATED, C_POOL_CREATE_FAILED,
	C_POOL_DESTROYED, C_BURST, C_NO_PREEMPT, C_BH, C_IRQS_OFF, C_NMI, C_SOFTIRQ,
	C_HARDIRQ, C_OTHER_TASK, NR_COUNTS
};

struct soak_counts {
	u64 nr[NR_COUNTS];
};

DECLARE_PER_CPU(struct soak_counts, soak_counts);

static inline void soak_count(enum soak_count what, unsigned int nr)
{
	this_cpu_add(soak_counts.nr[what], nr);
}

/* From 0 to @bound - 1, out of a number that was drawn. */
static inline u32 below(u32 drawn, u32 bound)
{
	return ((u64)drawn * bound) >> 32;
}

/* Another number, out of one that was drawn, for its own use. */
static inline u32 again(u32 drawn, u32 salt)
{
	drawn = (drawn ^ salt) * 0x85ebca6bU;
	return (drawn ^ (drawn >> 15)) * 0xc2b2ae35U;
}

bool soak_running(void);
bool soak_pausing(void);
bool soak_emptying(void);
void worker_kill(u32 which);
void soak_waited(struct worker *w, struct soak_pool *p, unsigned long since);
__printf(2, 3) void soak_fail(struct worker *w, const char *fmt, ...);

#endif /* MPSLAB_SOAK_H */
