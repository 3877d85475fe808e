import { expect, test } from "vitest";
import { topicOf, topicProblem } from "./topic.ts";

test.each([
  ["Something is down for customers, right now", "something-is-down-for-customers"],
  ["Größere Ausfälle!", "grossere-ausfalle"],
  ["  ", ""],
  ["数据库", ""],
  [`${"x".repeat(62)} y`, "x".repeat(62)],
])("%j is called %j", (description, topic) => expect(topicOf(description)).toBe(topic));

test.each([
  ["", [], /name/],
  ["Bad", [], /Small letters/],
  ["-a", [], /hyphen/],
  ["a".repeat(64), [], /63/],
  ["a", ["a"], /already/],
])("%j is refused", (topic, taken, why) => expect(topicProblem(topic, taken)).toMatch(why));

test("others are taken", () => expect(topicProblem("a-1", ["b"])).toBeUndefined());
