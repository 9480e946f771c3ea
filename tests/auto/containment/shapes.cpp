// SPDX-License-Identifier: MIT
#include "shapes.h"

namespace PkTest {

const QList<Shape> &shapes()
{
    static const QList<Shape> all = {
        { .name = "none", .reports = { "main" }, .leaving = {}, .leftovers = false },
        { .name = "grandchild", .reports = { "grandchild", "main" }, .leaving = {} },
        { .name = "setsid", .reports = { "session", "main" }, .leaving = { "session" } },
        { .name = "setpgid", .reports = { "group", "main" }, .leaving = { "group" } },
        { .name = "doublefork", .reports = { "orphan", "main" }, .leaving = {} },
        { .name = "daemon", .reports = { "daemon", "main" }, .leaving = { "daemon" } },
        { .name = "loud-daemon", .reports = { "daemon", "main" }, .leaving = { "daemon" } },
        { .name = "forkloop", .reports = { "loop", "main" }, .leaving = {}, .endless = true },
        { .name = "sessionloop",
          .reports = { "loop", "main" },
          .leaving = { "loop" },
          .endless = true },
        { .name = "stopped", .reports = { "below", "stopping", "main" }, .leaving = {} },
        { .name = "main-stopped", .reports = { "grandchild", "main" }, .leaving = {} },
        { .name = "ignore-term",
          .reports = { "deaf", "main" },
          .leaving = {},
          .ignoresTerm = true },
        { .name = "subreaper",
          .reports = { "adopted", "reaper", "main" },
          .leaving = { "adopted" } },
        { .name = "closes-all", .reports = { "closed", "main" }, .leaving = {} },
        { .name = "deep", .reports = { "deepest", "main" }, .leaving = {} },
        { .name = "flat", .reports = { "last", "main" }, .leaving = {} },
        { .name = "zoo",
          .reports = { "grandchild", "session", "group", "orphan", "daemon", "daemon", "below",
                       "stopping", "deaf", "adopted", "reaper", "loop", "deepest", "main" },
          .leaving = { "session", "group", "daemon", "adopted" },
          .ignoresTerm = true,
          .endless = true },
    };
    return all;
}

const Shape &shapeNamed(const QByteArray &name)
{
    for (const Shape &shape : shapes()) {
        if (name == shape.name)
            return shape;
    }
    qFatal("no such shape");
}

} // namespace PkTest
