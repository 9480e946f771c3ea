// SPDX-License-Identifier: MIT
// Prints the mechanisms that this host allows.
#include <ProcessKit/Containment>

#include <QtCore/qmetaobject.h>

#include <cstdio>

using namespace ProcessKit;

int main()
{
    const QMetaEnum names = QMetaEnum::fromType<Mechanism>();
    for (int i = 0; i < names.keyCount(); ++i) {
        const Mechanism mechanism = Mechanism(names.value(i));
        if (mechanism != Mechanism::None && Containment::query(mechanism).mechanism() == mechanism)
            std::puts(names.key(i));
    }
}
