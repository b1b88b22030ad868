"""WebSub: hubs asked, their words and pushes heard, the callbacks answered."""
