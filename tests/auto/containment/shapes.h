// SPDX-License-Identifier: MIT
#ifndef PKTEST_SHAPES_H
#define PKTEST_SHAPES_H

#include <QtCore/qbytearray.h>
#include <QtCore/qlist.h>

namespace PkTest {

// A tree that "pk-helper tree" makes.
struct Shape
{
    const char *name;
    QList<QByteArray> reports; // of its processes, when they are what they are to be
    QList<QByteArray> leaving; // those of them that leave the process group
    bool ignoresTerm = false;
    bool endless = false; // makes new processes all the time
    bool leftovers = true; // something is left when the direct child has exited
};

const QList<Shape> &shapes();
const Shape &shapeNamed(const QByteArray &name);

} // namespace PkTest

#endif // PKTEST_SHAPES_H
