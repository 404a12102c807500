"""What happens at the providers while they are read: rows come, change and go, each with the stamp of its moment."""

import json
from datetime import timedelta
from decimal import Decimal

from sandbox.world import World, dumps

PAYT = ("payment_plans", "payments", "invoices")
TOTALITY = ("loans", "payment_plans", "scheduled_payments", "payments")


def copied(row):
    return json.loads(dumps(row), parse_float=Decimal)


class Churn:
    """Changes of one world, drawn from one seed; `gone` are keys that no list of deletions tells of."""

    def __init__(self, world: World, draw):
        self.world, self.draw, self.number, self.told = world, draw, 0, []

    def now(self):
        """The moment of a change: each is a second after the one before."""
        moment = self.world.now() + timedelta(seconds=1)
        self.world.clock = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        self.number += 1
        return self.world.clock

    def some(self, most):
        for _ in range(self.draw.randint(1, most)):
            self.one(self.draw.choice(("payt", "totality", "payiq")))

    def one(self, provider, path=""):
        """Let one row of that provider come, change or go, of the list with that path if it is one."""
        name = path.rpartition("/")[2].replace("-", "_")
        with self.world.changing():
            self.told.append(getattr(self, provider)(self.now(), name))

    def payt(self, now, name):
        name = name if name in PAYT else self.draw.choice(PAYT)
        rows = getattr(self.world.payt, name)
        if not rows:
            return "nothing"
        what, row = self.draw.choice(("comes", "changes", "changes", "goes")), self.draw.choice(rows)
        if what == "goes" and len(rows) > 3 and name != "invoices":
            rows.remove(row)
            gone = {"id": row["id"], "administration_id": row["administration_id"], "deleted_at": now}
            self.world.payt.deleted[name].append(gone)
        elif what == "comes" and name != "invoices":
            new = copied(row) | {"id": str(9_000_000 + self.number), "updated_at": now}
            for number, term in enumerate(new.get("payment_terms", ())):
                term["id"] = f"9{self.number:03}{number:03}"
            rows.append(new)
        else:
            self._payt_changes(name, row, now)
        return f"payt {name} {row['id']} {what}"

    def _payt_changes(self, name, row, now):
        row["updated_at"] = now
        if name == "payment_plans":
            term = self.draw.choice(row["payment_terms"])
            term["amount_due"] = term["total_amount"] if self.draw.random() < 0.3 else "0.00"
        else:
            row["total_amount" if name == "payments" else "open_amount"] = (
                f"{self.draw.randint(1, 900)}.{self.number % 100:02}"
            )
            if name == "payments" and "total_book_amount" in row:
                row["total_book_amount"] = row["total_amount"]

    def totality(self, now, name):
        name = name if name in TOTALITY else self.draw.choice(TOTALITY)
        rows = getattr(self.world.totality, name)
        what, row = self.draw.choice(("comes", "changes", "changes", "goes")), self.draw.choice(rows)
        can_go = name in {"scheduled_payments", "payments"}
        if what == "goes" and can_go and len(rows) > 3:
            rows.remove(row)
        elif what == "comes" and can_go:
            new = copied(row) | {
                "uuid": f"99999999-0000-4000-8000-{self.number:012}",
                "createdAt": now,
                "updatedAt": now,
            }
            rows.insert(self.draw.randrange(len(rows) + 1), new)
        else:
            row["updatedAt"] = now
            field = {"loans": "balance", "payment_plans": None}.get(name, "amount")
            if field:
                row[field] = self.draw.randint(100, 90_000)
        return f"totality {name} {row['uuid']} {what}"

    def payiq(self, now, _name):
        key = self.draw.choice(sorted(self.world.payiq.setups))
        account = self.world.payiq.setups[key]["Accounts"][0]
        account["UpdateDate"] = now  # what changes shows in the setup
        rows = self.world.payiq.payments.setdefault(key, [])
        what = self.draw.choice(("comes", "changes", "goes", "owes"))
        if what == "owes" or not rows:
            account["AmountDue"] = Decimal(self.draw.randint(100, 90_000)) / 100
        elif what == "comes":
            new = copied(self.draw.choice(rows)) | {"ID": 8_000_000 + self.number}
            rows.insert(self.draw.randrange(len(rows) + 1), new)
        elif what == "goes":
            rows.remove(self.draw.choice(rows))
        else:
            row = self.draw.choice(rows)
            row["Total"] = Decimal(self.draw.randint(100, 90_000)) / 100
            row["InvoicePayments"] = []
        return f"payiq {key[1]} {what}"
