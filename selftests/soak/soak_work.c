// SPDX-License-Identifier: GPL-2.0
/*
 * The workers and their schedules.
 *
 * Each operation is four numbers drawn from the worker's own sequence: what it is,
 * and how.  Nothing that happens has a say in what is drawn, so the seed gives each
 * worker the same operations in the same order; how those of different workers
 * interleave is up to the machine.
 */
#include <linux/bottom_half.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

#include "soak.h"

/* Where objects go from one worker to another, and where all can read them. */
#define MAILBOXES	32U
#define BOARDS		4U

static struct mailbox {
	spinlock_t lock;	/* guards @h */
	struct held h;
} mailboxes[MAILBOXES], boards[BOARDS];

/* An operation, as it was drawn. */
struct op {
	u32 what;
	u32 which;
	u32 how;
	u32 more;
};

/* ----------------------------------------------------------------- contexts -- */

/*
 * An NMI is pretended: what makes in_nmi() true, on every architecture.  Nothing
 * else is of an NMI, least of all the instruction at which it comes.
 */
unsigned long ctx_enter(enum soak_ctx ctx)
{
	unsigned long irq = 0;

	switch (ctx) {
	case CTX_NO_PREEMPT:
		preempt_disable();
		break;
	case CTX_BH:
		local_bh_disable();
		break;
	case CTX_NMI:
		local_irq_save(irq);
		preempt_count_add(NMI_OFFSET + HARDIRQ_OFFSET);
		break;
	case CTX_IRQS_OFF:
		local_irq_save(irq);
		break;
	default:
		break;
	}
	return irq;
}

void ctx_leave(enum soak_ctx ctx, unsigned long irq)
{
	static const enum soak_count counts[NR_CTX] = {
		[CTX_NO_PREEMPT] = C_NO_PREEMPT, [CTX_BH] = C_BH,
		[CTX_NMI] = C_NMI, [CTX_IRQS_OFF] = C_IRQS_OFF,
	};

	switch (ctx) {
	case CTX_NO_PREEMPT:
		preempt_enable();
		break;
	case CTX_BH:
		local_bh_enable();
		break;
	case CTX_NMI:
		preempt_count_sub(NMI_OFFSET + HARDIRQ_OFFSET);
		local_irq_restore(irq);
		break;
	case CTX_IRQS_OFF:
		local_irq_restore(irq);
		break;
	default:
		return;
	}
	soak_count(counts[ctx], 1);
}

/* -------------------------------------------------------- giving objects back -- */

/* They are everybody's, so whoever comes by empties them. */
static void settle_boxes(struct worker *w, bool all, struct mailbox *boxes,
			 unsigned int nr,
			 void (*put)(struct worker *w, struct held *h))
{
	struct mailbox *m;
	struct held h;

	for (m = boxes; m < boxes + nr; m++) {
		h.from = NULL;
		spin_lock(&m->lock);
		if (m->h.from && (all || place_is_closed(&m->h.from->place)))
			swap(h, m->h);
		spin_unlock(&m->lock);
		if (h.from)
			put(w, &h);
	}
}

static void settle(struct worker *w, bool all)
{
	unsigned int i;

	for (i = 0; i < TABLE_SIZE; i++)
		if (w->table[i].from &&
		    (all || place_is_closed(&w->table[i].from->place)))
			cache_put(w, &w->table[i]);
	for (i = 0; i < ERRANDS; i++)
		errand_take_back(&w->errands[i], all);
	settle_boxes(w, all, mailboxes, MAILBOXES, cache_put);
	settle_boxes(w, all, boards, BOARDS, cache_put_rcu);
}

/* Give back what is of caches that are to go. */
void worker_settle(struct worker *w)
{
	settle(w, false);
}

/* Owner and sequence number; never the same twice until 2^24 have passed. */
u32 worker_stamp(struct worker *w)
{
	return (w->index + 1) << 24 |
	       (atomic_inc_return(&w->seq) & GENMASK(23, 0));
}

/* ---------------------------------------------------------------- operations -- */

static struct soak_cache *pick_cache(const struct op *op)
{
	return &soak_caches[below(op->which, SOAK_CACHES)];
}

static struct soak_pool *pick_pool(const struct op *op)
{
	return &soak_pools[below(op->which, SOAK_POOLS)];
}

static gfp_t pick_gfp(u32 how)
{
	static const gfp_t gfps[] = {
		GFP_KERNEL, GFP_KERNEL, GFP_NOIO, GFP_NOWAIT, GFP_ATOMIC,
	};

	return gfps[below(again(how, 7), ARRAY_SIZE(gfps))];
}

/* A place in the table: free what is there, or else allocate. */
static void do_one(struct worker *w, const struct op *op)
{
	struct held *h = &w->table[below(op->more, TABLE_SIZE)];

	if (h->from)
		cache_put_somehow(w, h, op->how);
	else
		cache_get(w, pick_cache(op), op->how, pick_gfp(op->how), h);
}

/* The same where one may not sleep; nobody frees in an NMI, as that may fail. */
static void do_one_atomic(struct worker *w, const struct op *op)
{
	struct held *h = &w->table[below(op->more, TABLE_SIZE)];
	enum soak_ctx ctx = 1 + below(again(op->how, 5), NR_CTX - 1);
	bool full = h->from;
	unsigned long irq;

	if (full && ctx == CTX_NMI)
		ctx = CTX_IRQS_OFF;
	irq = ctx_enter(ctx);
	if (full)
		cache_put_somehow(w, h, op->how);
	else
		cache_get(w, pick_cache(op), op->how, GFP_ATOMIC, h);
	ctx_leave(ctx, irq);
}

/* Large objects are not for the stamping of dozens. */
static unsigned int bulk_of(struct soak_cache *c, u32 how)
{
	unsigned int max = READ_ONCE(c->size) > PAGE_SIZE ? 4 : BULK_MAX;

	return 1 + below(again(how, 3), max);
}

static void do_bulk(struct worker *w, const struct op *op)
{
	struct soak_cache *c = pick_cache(op);
	enum soak_ctx ctx = op->more & 1 ? below(again(op->how, 5), CTX_NMI) : CTX_TASK;
	gfp_t gfp = ctx == CTX_TASK ? pick_gfp(op->how) : GFP_ATOMIC;
	unsigned int nr = bulk_of(c, op->how), i;
	unsigned long irq;

	irq = ctx_enter(ctx);
	nr = cache_get_bulk(w, c, gfp, w->bulk, nr);
	ctx_leave(ctx, irq);
	if (!nr)
		return;
	if (op->more & 2) {
		for (i = 0; i < nr; i++)
			cache_put(w, &w->bulk[i]);
		return;
	}
	irq = ctx_enter(ctx);
	cache_put_bulk(w, w->bulk, nr);
	ctx_leave(ctx, irq);
}

static void do_burst(struct worker *w, const struct op *op)
{
	cache_burst(w, pick_cache(op), op->how);
}

/* One more for another worker, and what he or somebody left there for us. */
static void do_swap(struct worker *w, const struct op *op)
{
	struct mailbox *m = &mailboxes[below(op->which, MAILBOXES)];
	struct held *mine = &w->table[below(op->more, TABLE_SIZE)];

	spin_lock(&m->lock);
	swap(*mine, m->h);
	spin_unlock(&m->lock);
	if (mine->from && op->how % 2)
		cache_put(w, mine);
}

static void do_check(struct worker *w, const struct op *op)
{
	struct held *h = &w->table[below(op->more, TABLE_SIZE)];

	if (h->from)
		held_check(w, h);
}

/*
 * Look at an object that somebody may be freeing.  What it is, nobody knows then,
 * but it is memory of the cache.
 */
static void do_peek(struct worker *w, const struct op *op)
{
	struct mailbox *m = &mailboxes[below(op->which, MAILBOXES)];
	const u32 *obj = NULL;

	rcu_read_lock();
	spin_lock(&m->lock);
	if (m->h.from && m->h.from->rcu)
		obj = m->h.obj;
	spin_unlock(&m->lock);
	if (obj) {
		udelay(below(op->how, 20));
		/* Its owner may write all over it meanwhile. */
		(void)data_race(READ_ONCE(*obj));
		soak_count(C_PEEK, 1);
	}
	rcu_read_unlock();
}

/*
 * Free what readers may be at, and be one of them: it stays what it was, and is nobody
 * else's.
 */
static void put_and_read(struct worker *w, struct held *h, const struct op *op)
{
	enum soak_ctx ctx = below(again(op->how, 5), CTX_NMI);
	struct held old = *h;
	unsigned long irq;

	rcu_read_lock();
	irq = ctx_enter(ctx);
	cache_put_rcu(w, h);
	ctx_leave(ctx, irq);
	if (cache_get(w, old.from, 2, GFP_NOWAIT, h) && h->obj == old.obj)
		soak_fail(w, "%s: object of stamp %08x is given away under its readers",
			  old.from->name, old.stamp);
	cache_read(w, &old, op->how);
	rcu_read_unlock();
}

/* One for all to read, or none, in place of another. */
static void do_publish(struct worker *w, const struct op *op)
{
	struct mailbox *m = &boards[below(op->which, BOARDS)];
	struct held *h = &w->table[below(op->more, TABLE_SIZE)];

	if (h->from && !cache_can_put_rcu(h))
		return;
	spin_lock(&m->lock);
	swap(*h, m->h);
	spin_unlock(&m->lock);
	if (h->from)
		put_and_read(w, h, op);
}

/* What is found stays what it is until the reader is done. */
static void do_read(struct worker *w, const struct op *op)
{
	struct mailbox *m = &boards[below(op->which, BOARDS)];
	struct held h;

	rcu_read_lock();
	spin_lock(&m->lock);
	h = m->h;
	spin_unlock(&m->lock);
	if (h.from) {
		udelay(below(op->how, 50));
		cache_read(w, &h, op->more);
	}
	rcu_read_unlock();
}

static void do_resize(struct worker *w, const struct op *op)
{
	struct held *h = &w->table[below(op->more, TABLE_SIZE)];

	if (h->from)
		cache_resize(w, h, op->how, pick_gfp(op->how));
}

/* Some of the table to be freed elsewhere, and some objects to be fetched. */
static void do_errand(struct worker *w, const struct op *op)
{
	struct errand *e = errand_idle(w);
	unsigned int i = below(op->more, TABLE_SIZE), nr;

	if (!e)
		return;
	for (nr = below(op->which, ERRAND_MAX); nr; nr--, i++)
		if (w->table[i % TABLE_SIZE].from) {
			e->put[e->nr_put++] = w->table[i % TABLE_SIZE];
			w->table[i % TABLE_SIZE].from = NULL;
		}
	e->get_from = pick_cache(op);
	e->nr_get = below(again(op->how, 6), ERRAND_GETS + 1);
	if (!place_enter(&e->get_from->place))
		e->get_from = NULL;
	errand_send(e, op->how, true);
}

static void do_shrink(struct worker *w, const struct op *op)
{
	struct soak_cache *c = pick_cache(op);

	if (!place_enter(&c->place))
		return;
	mpslab_cache_shrink(c->cache);
	soak_count(C_SHRINK, 1);
	place_leave(&c->place);
}

static void do_recreate(struct worker *w, const struct op *op)
{
	cache_recreate(w, pick_cache(op), op->how, op->more);
}

static void do_pool(struct worker *w, const struct op *op)
{
	pool_use(w, pick_pool(op), op->how, op->more);
}

/* What is sent away first, we wait for next. */
static void do_pool_lone(struct worker *w, const struct op *op)
{
	u32 how = again(op->how, 11), more = again(op->more, 1);

	if (op->which & 1)
		pool_use_bulk(w, &w->lone, op->how, op->more);
	else
		pool_use(w, &w->lone, op->how, op->more);
	if (op->which & 2)
		pool_use_bulk(w, &w->lone, how, more);
	else
		pool_use(w, &w->lone, how, more);
}

static void do_pool_bulk(struct worker *w, const struct op *op)
{
	pool_use_bulk(w, pick_pool(op), op->how, op->more);
}

static void do_pool_resize(struct worker *w, const struct op *op)
{
	pool_resize(w, pick_pool(op), op->how);
}

static void do_pool_flap(struct worker *w, const struct op *op)
{
	pool_flap(pick_pool(op), op->how);
}

static void do_pool_recreate(struct worker *w, const struct op *op)
{
	pool_recreate(w, pick_pool(op), op->how, op->more);
}

static void do_kill(struct worker *w, const struct op *op)
{
	worker_kill(op->which);
}

/* Go to another CPU, if it is there, and then wherever. */
static void do_move(struct worker *w, const struct op *op)
{
	unsigned int cpu = below(op->which, nr_cpu_ids);

	if (!set_cpus_allowed_ptr(current, cpumask_of(cpu)))
		set_cpus_allowed_ptr(current, cpu_possible_mask);
}

static void do_rest(struct worker *w, const struct op *op)
{
	usleep_range(20, 20 + below(op->how, 500));
}

/* How often each is drawn, of the sum of all. */
static const struct {
	const char *name;
	unsigned int weight;
	void (*fn)(struct worker *w, const struct op *op);
} operations[] = {
	{ "one",		3000,	do_one },
	{ "one, atomic",	1500,	do_one_atomic },
	{ "bulk",		400,	do_bulk },
	{ "burst",		300,	do_burst },
	{ "swap",		700,	do_swap },
	{ "check",		400,	do_check },
	{ "peek",		200,	do_peek },
	{ "publish",		500,	do_publish },
	{ "read",		500,	do_read },
	{ "resize",		200,	do_resize },
	{ "errand",		800,	do_errand },
	{ "pool",		1500,	do_pool },
	{ "pool, bulk",		300,	do_pool_bulk },
	{ "pool, lone",		200,	do_pool_lone },
	{ "pool, resize",	60,	do_pool_resize },
	{ "pool, flap",		60,	do_pool_flap },
	{ "kill",		400,	do_kill },
	{ "move",		50,	do_move },
	{ "rest",		50,	do_rest },
	{ "shrink",		8,	do_shrink },
	{ "cache, anew",	6,	do_recreate },
	{ "pool, anew",		4,	do_pool_recreate },
};

static void one_operation(struct worker *w)
{
	struct op op = {
		.what = prandom_u32_state(&w->rnd),
		.which = prandom_u32_state(&w->rnd),
		.how = prandom_u32_state(&w->rnd),
		.more = prandom_u32_state(&w->rnd),
	};
	unsigned int i, at, sum = 0;

	for (i = 0; i < ARRAY_SIZE(operations); i++)
		sum += operations[i].weight;
	at = below(op.what, sum);
	for (i = 0; at >= operations[i].weight; i++)
		at -= operations[i].weight;
	WRITE_ONCE(w->doing, operations[i].name);
	operations[i].fn(w, &op);
	WRITE_ONCE(w->op, w->op + 1);
}

/* ------------------------------------------------------------------- threads -- */

/* Others may still wait for our objects of caches that go. */
static void park(struct worker *w)
{
	WRITE_ONCE(w->doing, "parked");
	while (soak_pausing() && soak_running()) {
		settle(w, soak_emptying());
		WRITE_ONCE(w->parked, true);
		usleep_range(500, 2000);
	}
	WRITE_ONCE(w->parked, false);
}

int worker_thread(void *worker)
{
	struct worker *w = worker;
	unsigned int i;

	allow_signal(SIGKILL);
	while (soak_running()) {
		if (soak_pausing())
			park(w);
		else
			one_operation(w);
		cond_resched();
	}
	WRITE_ONCE(w->doing, "ending");
	settle(w, true);
	for (i = 0; i < ERRANDS; i++)
		errand_exit(&w->errands[i]);
	while (!kthread_should_stop())
		schedule_timeout_idle(HZ / 10);
	return 0;
}

/* Before any worker. */
void mailboxes_init(void)
{
	unsigned int i;

	for (i = 0; i < MAILBOXES; i++)
		spin_lock_init(&mailboxes[i].lock);
	for (i = 0; i < BOARDS; i++)
		spin_lock_init(&boards[i].lock);
}
