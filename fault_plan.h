/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Fault plans: which allocations are to fail or to be late.  The theory is at the
 * top of fault_plan.c.
 *
 * Who asks pays one test while no plan is armed, on slow paths only.
 */
#ifndef MPSLAB_FAULT_PLAN_H
#define MPSLAB_FAULT_PLAN_H

#include <linux/compiler.h>
#include <linux/fault-inject.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct dentry;
struct fault_spec;
struct fault_set;
struct mpslab_pool;
struct seq_file;

/**
 * enum fault_point - what can be made to fail
 * @FAULT_SETUP: the module's own allocations where something is set up
 * @FAULT_PAGES: a cache's requests to the page allocator
 * @FAULT_DESCRIPTORS: a cache's descriptors that lie off their slabs
 * @FAULT_BACKEND: a pool's requests to its backend
 * @FAULT_RESERVE: a pool's takes from its reserve
 * @NR_FAULT_POINTS: their number
 */
enum fault_point {
	FAULT_SETUP,
	FAULT_PAGES,
	FAULT_DESCRIPTORS,
	FAULT_BACKEND,
	FAULT_RESERVE,
	NR_FAULT_POINTS
};

#define FAULT_CACHE_POINTS	(BIT(FAULT_PAGES) | BIT(FAULT_DESCRIPTORS))
#define FAULT_POOL_POINTS	(BIT(FAULT_BACKEND) | BIT(FAULT_RESERVE))
#define FAULT_ALL_POINTS	GENMASK(NR_FAULT_POINTS - 1, 0)

/* Longest plan as text, with its end. */
#define FAULT_TEXT_LEN		256

/**
 * struct fault_plan - what is planned at one point
 * @spec: what was written last, with its counts; NULL if nothing was.  Replaced
 *	under fault_mutex, read under RCU
 * @set: the plans that it is one of, as number enum fault_point
 */
struct fault_plan {
	struct fault_spec __rcu *spec;
	struct fault_set *set;
};

/**
 * struct fault_set - the plans of a cache, of a pool, or of all
 * @plan: one for each point
 * @armed: a bit for each that is not off; written under fault_mutex
 * @pool: whose they are, if a pool's
 * @list: the pools' sets, under fault_mutex
 */
struct fault_set {
	struct fault_plan plan[NR_FAULT_POINTS];
	unsigned long armed;
	struct mpslab_pool *pool;
	struct list_head list;
};

/* What a plan has done since it was written. */
struct fault_counts {
	unsigned long seen;
	unsigned long failed;
	unsigned long delayed;
};

extern struct fault_set fault_all;
extern const char * const fault_point_names[NR_FAULT_POINTS];

/* The kernel's own fault injection, where it has it. */
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
extern struct fault_attr fault_attrs[NR_FAULT_POINTS];

static inline bool fault_attr_on(enum fault_point point)
{
	return unlikely(READ_ONCE(fault_attrs[point].probability));
}

bool fault_attr_fails(enum fault_point point);
void fault_attr_show(struct dentry *dir);
void fault_attr_hide(void);
#else
static inline bool fault_attr_on(enum fault_point point)
{
	return false;
}

static inline bool fault_attr_fails(enum fault_point point)
{
	return false;
}

static inline void fault_attr_show(struct dentry *dir)
{
}

static inline void fault_attr_hide(void)
{
}
#endif

bool fault_hit(struct fault_set *set, enum fault_point point, gfp_t gfp);

/*
 * Is this allocation to fail?  @set is that of who is asked, or NULL; @gfp says
 * whether it may be made to sleep.
 */
static inline bool fault(struct fault_set *set, enum fault_point point,
			 gfp_t gfp)
{
	if (likely(!READ_ONCE(fault_all.armed) &&
		   !(set && READ_ONCE(set->armed)) && !fault_attr_on(point)))
		return false;
	return fault_hit(set, point, gfp);
}

/* The same in set-up paths, which may always sleep. */
static inline bool fault_setup(void)
{
	return fault(NULL, FAULT_SETUP, GFP_KERNEL);
}

/* @alloc, an allocation where something is set up, or NULL if it is to fail. */
#define setup_alloc(alloc)	(fault_setup() ? NULL : (alloc))

int fault_init(void);
void fault_exit(void);
int fault_plan_write(struct fault_plan *plan, char *text);
void fault_plan_counts(struct fault_plan *plan, struct fault_counts *counts);
void fault_plan_show(struct seq_file *m, struct fault_plan *plan);
void fault_set_init(struct fault_set *set);
void fault_set_exit(struct fault_set *set);
struct fault_set *fault_pool_init(struct mpslab_pool *pool, gfp_t gfp);
void fault_pool_moved(struct fault_set *set, struct mpslab_pool *pool);
void fault_pool_exit(struct fault_set *set);

#endif /* MPSLAB_FAULT_PLAN_H */
