//! Step Functions, SNS and SQS.

use super::{Billed, Charge, Subject};

pub(super) fn state_machine(subject: &mut Subject<'_>) -> Billed {
    let kind = subject.text(&["StateMachineType"], "STANDARD");
    if kind != "STANDARD" {
        return Billed::NotPriced(format!(
            "there is no rule for state machines of type {kind}"
        ));
    }
    let executions = subject.usage("states.executions");
    let mut charges = vec![Charge {
        item: "state-transitions",
        quantity: executions * subject.usage("states.transitions"),
    }];
    if subject.text(&["TracingConfiguration", "Enabled"], "false") == "true" {
        charges.push(Charge {
            item: "xray-traces",
            quantity: executions,
        });
    }
    Billed::For(charges)
}

pub(super) fn topic(subject: &mut Subject<'_>) -> Billed {
    if subject.text(&["FifoTopic"], "false") == "true" {
        return Billed::NotPriced("there is no rule for FIFO topics".to_owned());
    }
    Billed::one("sns-requests", subject.usage("sns.publishes"))
}

pub(super) fn queue(subject: &mut Subject<'_>) -> Billed {
    if subject.text(&["FifoQueue"], "false") == "true" {
        return Billed::NotPriced("there is no rule for FIFO queues".to_owned());
    }
    Billed::one("sqs-requests", subject.usage("sqs.requests"))
}
