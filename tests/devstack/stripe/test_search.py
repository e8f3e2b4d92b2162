"""Search in Stripe's query language."""

import pytest
import stripe


def test_payments_are_found_by_their_metadata(client: stripe.StripeClient):
    for number in (1, 2, 3):
        client.v1.payment_intents.create(
            {"amount": 1000 + number, "currency": "eur", "metadata": {"attempt": f"att_{number}", "shop": 'it\'s "us"'}}
        )
    found = client.v1.payment_intents.search({"query": "metadata['attempt']:'att_2'"})
    assert [intent.amount for intent in found.data] == [1002]
    both = client.v1.payment_intents.search({"query": 'metadata["shop"]:"it\'s \\"us\\"" AND amount>1001'})
    assert [intent.amount for intent in both.data] == [1003, 1002]
    either = client.v1.payment_intents.search({"query": "amount:1001 OR amount:1003"})
    assert [intent.amount for intent in either.data] == [1003, 1001]
    assert client.v1.payment_intents.search({"query": "-status:'succeeded'", "limit": 2}).has_more is True
    with pytest.raises(stripe.InvalidRequestError, match="unable to parse"):
        client.v1.payment_intents.search({"query": "metadata.attempt = 2"})


@pytest.mark.parametrize("query", ["created>0 AND amount<=1999", "currency:'eur'", "metadata['k']~'VAL'"])
def test_other_fields_can_be_searched_too(client: stripe.StripeClient, query: str):
    intent = client.v1.payment_intents.create({"amount": 1999, "currency": "eur", "metadata": {"k": "a value"}})
    assert [found.id for found in client.v1.payment_intents.search({"query": query}).data] == [intent.id]


@pytest.mark.parametrize("query", ["colour:'red'", "amount>'many'", "status:'a' AND status:'b' OR status:'c'"])
def test_a_query_that_stripe_would_not_understand_is_refused(client: stripe.StripeClient, query: str):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.search({"query": query})
    assert refused.value.param == "query"


def test_a_long_search_result_has_pages(client: stripe.StripeClient):
    for number in range(5):
        client.v1.payment_intents.create({"amount": 1000 + number, "currency": "eur"})
    first = client.v1.payment_intents.search({"query": "currency:'eur'", "limit": 2})
    assert (first.has_more, [found.amount for found in first.data]) == (True, [1004, 1003])
    found = client.v1.payment_intents.search({"query": "currency:'eur'", "limit": 2}).auto_paging_iter()
    assert [intent.amount for intent in found] == [1004, 1003, 1002, 1001, 1000]
